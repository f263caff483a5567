"""This file holds one patient's facts while they are weighed: what counts, how findings look, what was worked out.

A `Chart` lives for one assessment. It remembers what was worked out once, so that thirty causes can ask the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from correlation.anatomy import distance
from correlation.assessment import Category, FindingCourse, Reply
from correlation.biochemistry import Laboratory
from correlation.catalogue import Cause, Knowledge, Question
from correlation.look import Look
from correlation.timeline import ClinicalCondition, FillerInjection, PatientTimeline, ResourceRef, Side, Withheld
from correlation.words import Words

Reach = tuple[Reply, int | None, bool]  # within reach, steps, only a wide area named
Clause = str | Callable[[Words], str]  # the id of a sentence, or how to write one once somebody reads it
NONE_GIVEN: frozenset[str] = frozenset()


def written(clause: Clause, words: Words) -> str:
    """The clause in a language."""
    return words.say(clause) if isinstance(clause, str) else clause(words)


class Said(NamedTuple):
    """What a question function answers: the reply as far as was seen, one sentence why, and the facts it rests on.

    `unsure` is what was withheld that could turn a reply which is concluded from absence: the answer is then not known.
    """

    reply: Reply
    because: Clause
    evidence: tuple[ResourceRef, ...] = ()
    unsure: tuple[Withheld, ...] = ()

    def turned(self) -> Said:
        """The answer to the opposite question."""
        return Said(OPPOSITE[self.reply], self.because, self.evidence)


OPPOSITE = {Reply.YES: Reply.NO, Reply.NO: Reply.YES, Reply.NOT_KNOWN: Reply.NOT_KNOWN}


class Fit(NamedTuple):
    """How one injection fits one finding. `steps` is the distance between regions, `None` for far or not known.

    `broad`: the site was only given as a wide area such as "face". `sides` were injected within reach, empty where any
    is not stated. `months` since the injection, to the newest study.
    """

    injection: FillerInjection
    before: Reply
    reach: Reply
    steps: int | None
    broad: bool
    sides: frozenset[Side]
    side: Reply
    appears: Reply
    appears_because: Clause
    months: tuple[int, int] | None


class JointFit(NamedTuple):
    """The recorded injections of some materials that fit a finding best, taken together.

    `fits` is empty where none is on record. `partly_covered`: both sides are described and one was injected.
    """

    fits: tuple[Fit, ...]
    injections: tuple[FillerInjection, ...]
    sources: tuple[ResourceRef, ...]
    before: Reply
    reach: Reply
    side: Reply
    appears: Reply
    broad: bool
    partly_covered: bool

    @property
    def certain(self) -> bool:
        """Whether time, place and material all say yes."""
        return bool(self.fits) and {self.before, self.reach, self.appears} == {Reply.YES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that is asked, and what it compares with; several causes may ask it.

    `yes` and `no` say where such a reply is counted: for which causes (their place in the knowledge base), and as which
    strength (its place in `category.ORDER`).
    """

    question: str
    materials: tuple[str, ...]  # of the cause that asks
    parameters: Mapping[str, tuple[str, ...]]
    sets: Mapping[str, frozenset[str]]
    every: frozenset[str]  # the words of all parameters
    yes: Sequence[tuple[int, int]]
    no: Sequence[tuple[int, int]]

    def words(self, name: str) -> frozenset[str]:
        """The words of a parameter, empty where the cause gives none."""
        return self.sets.get(name, NONE_GIVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One question of one cause: which thing it asks, by its place in the questionnaire, and where it is counted."""

    question: Question
    place: int
    yes_place: int
    no_place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The questions of one cause made ready; `places` finds what was said to one by its id."""

    cause: Cause
    steps: tuple[Step, ...]
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """All that a knowledge base asks, each thing once: of the patient, then of each finding. `plans`: by cause."""

    of_patient: tuple[tuple[Callable[[Chart, Asked], Said], Asked], ...]
    of_finding: tuple[tuple[Callable[[Case, Asked], Said], Asked], ...]
    asked: tuple[Asked, ...]
    plans: tuple[Plan, ...]


class Judgement(NamedTuple):
    """What counts of answers come to: the category, its place among categories, the weight that ranks inside it."""

    category: Category
    order: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was worked out for one edition of the knowledge base and holds for every patient."""

    questionnaire: Questionnaire
    parts: Mapping[str, int]
    distances: dict[tuple[str, str], int | None] = field(default_factory=dict)
    reaches: dict[tuple[str, str, str], Reach] = field(default_factory=dict)
    judgements: dict[tuple[int, ...], Judgement] = field(default_factory=dict)  # by counts of answers
    moved: dict[tuple[tuple[int, ...], int, int], Category] = field(default_factory=dict)  # with two answers more


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One patient: the facts, the injections that count, the findings and their looks, the laboratory near imaging."""

    timeline: PatientTimeline
    knowledge: Knowledge
    as_of: date
    findings: tuple[FindingCourse, ...]
    counted: tuple[FillerInjection, ...]
    materials: frozenset[str]  # of the injections that count
    shared: Mapping[str, Sequence[FillerInjection]]  # by the resource that several of them were read from
    laboratory: Laboratory
    newest: Laboratory
    conditions: Mapping[str, tuple[ClinicalCondition, ...]]
    memory: Memory
    looks: dict[str, Look] = field(default_factory=dict)
    fits: dict[str, tuple[Fit, ...]] = field(default_factory=dict)
    joints: dict[tuple[str, tuple[str, ...]], JointFit] = field(default_factory=dict)
    conflicts: dict[int, Clause] = field(default_factory=dict)  # by the identity of the injection

    @property
    def words(self) -> Words:
        """The words of the language that the knowledge is in."""
        return self.knowledge.words

    @property
    def parts(self) -> Mapping[str, int]:
        """How many regions lie in a wider one such as "face" or "cheek"."""
        return self.memory.parts

    @property
    def reaches(self) -> dict[tuple[str, str, str], Reach]:
        """Whether a material injected into one region reaches another, as far as asked."""
        return self.memory.reaches

    def steps(self, region: str, other: str) -> int | None:
        """Steps from region to region over the neighbours; `None` beyond two."""
        key = (region, other)
        if key not in self.memory.distances:
            self.memory.distances[key] = distance(self.knowledge, region, other)
        return self.memory.distances[key]

    def near(self, one: str, other: str) -> bool:
        """Whether two regions are the same, lie in each other or are neighbours."""
        regions = self.knowledge.regions
        if one == other or one not in regions or other not in regions:
            return one == other
        if one in regions[other].broader or other in regions[one].broader:
            return True
        steps = self.steps(one, other)
        return steps is not None and steps <= 1

    def months(self, name: str) -> int:
        """A number of the knowledge base that is counted in months."""
        return int(self.knowledge.measures[name].value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One finding of one patient, about which is asked; `evidence` is what it was read from."""

    chart: Chart
    finding: FindingCourse
    look: Look
    evidence: tuple[ResourceRef, ...]


NO_SUCH_FILLER = Said(Reply.NOT_KNOWN, "product.no_such")
NO_FINDING = Said(Reply.NOT_KNOWN, "answer.no_finding")
