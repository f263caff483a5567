"""This file holds one patient's facts while they are weighed: what counts, how findings look, what was worked out.

A `Chart` lives for one assessment. It remembers what was worked out once, so that thirty causes can ask the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from correlation.anatomy import distance
from correlation.assessment import Category, FindingCourse, Reply
from correlation.biochemistry import Laboratory
from correlation.catalogue import Cause, Knowledge, Question
from correlation.look import Look
from correlation.timeline import ClinicalCondition, FillerInjection, PatientTimeline, ResourceRef, Side

Reach = tuple[Reply, int | None, bool]  # within reach, steps, only a wide area named
Words = str | Callable[[], str]  # a clause, or how to write it once somebody reads it
NO_WORDS: frozenset[str] = frozenset()


def written(words: Words) -> str:
    """The clause itself."""
    return words if isinstance(words, str) else words()


class Said(NamedTuple):
    """What a question function answers: the reply, one sentence why, and the facts it rests on."""

    reply: Reply
    because: Words
    evidence: tuple[ResourceRef, ...] = ()

    def turned(self) -> Said:
        """The answer to the opposite question."""
        return Said(OPPOSITE[self.reply], self.because, self.evidence)


OPPOSITE = {Reply.YES: Reply.NO, Reply.NO: Reply.YES, Reply.NOT_KNOWN: Reply.NOT_KNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
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
    appears_because: str
    months: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointFit:
    """The recorded injections of some materials that fit a finding best, taken together.

    `fits` is empty where none is on record. `partly_covered`: both sides are described and one was injected.
    """

    fits: tuple[Fit, ...]
    injections: tuple[FillerInjection, ...]
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
class Step:
    """One question of one cause made ready: its function, its words to compare, and where a yes and a no are counted.

    Questions of several causes that ask the same thing have the same `meaning`: they are answered once.
    """

    question: Question
    ask: Callable[[Case], Said]
    sets: Mapping[str, frozenset[str]]
    per_finding: bool
    meaning: int
    yes_place: int
    no_place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The questions of one cause made ready, and at which place each stands."""

    steps: tuple[Step, ...]
    places: Mapping[str, int]


class Judgement(NamedTuple):
    """What counts of answers come to: the category, and the weight that ranks causes inside it."""

    category: Category
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was worked out for one edition of the knowledge base and holds for every patient."""

    parts: dict[str, int] = field(default_factory=dict)
    distances: dict[tuple[str, str], int | None] = field(default_factory=dict)
    reaches: dict[tuple[str, str, str], Reach] = field(default_factory=dict)
    judgements: dict[tuple[int, ...], Judgement] = field(default_factory=dict)  # by counts of answers
    moved: dict[tuple[tuple[int, ...], int, int], Category] = field(default_factory=dict)  # with two answers more
    meanings: dict[str, int] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)  # the questions of each cause, made ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One patient: the facts, the injections that count, the findings and their looks, the laboratory near imaging."""

    timeline: PatientTimeline
    knowledge: Knowledge
    as_of: date
    findings: tuple[FindingCourse, ...]
    counted: tuple[FillerInjection, ...]
    laboratory: Laboratory
    newest: Laboratory
    conditions: Mapping[str, tuple[ClinicalCondition, ...]]
    memory: Memory
    looks: dict[str, Look] = field(default_factory=dict)
    fits: dict[str, tuple[Fit, ...]] = field(default_factory=dict)
    joints: dict[tuple[str, tuple[str, ...]], JointFit] = field(default_factory=dict)
    conflicts: dict[int, str] = field(default_factory=dict)  # by the identity of the injection
    statements: dict[ResourceRef, list[FillerInjection]] = field(default_factory=dict)

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

    def months(self, name: str) -> int:
        """A number of the knowledge base that is counted in months."""
        return int(self.knowledge.measures[name].value)


@dataclass(slots=True, kw_only=True)  # not frozen, only because hundreds are made for one patient and that is slower
class Case:
    """What one question is asked about: one cause and one finding of one patient. `finding` is `None` without any."""

    chart: Chart
    finding: FindingCourse | None
    look: Look | None
    cause: Cause
    parameters: Mapping[str, tuple[str, ...]]
    sets: Mapping[str, frozenset[str]]

    def words(self, name: str) -> frozenset[str]:
        """The words of the question's parameter, empty where the cause gives none."""
        return self.sets.get(name, NO_WORDS)


NO_FINDING = Said(Reply.NOT_KNOWN, "there is no finding to look at")
