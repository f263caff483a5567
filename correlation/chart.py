"""This file holds one patient's facts while they are weighed: what counts, what each finding looks like, what was asked.

A `Chart` lives for one assessment. It remembers what was worked out once, so that thirty causes can ask the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from correlation.anatomy import distance
from correlation.assessment import FindingCourse, Reply
from correlation.biochemistry import Laboratory
from correlation.catalogue import Cause, Knowledge
from correlation.look import Look
from correlation.timeline import ClinicalCondition, FillerInjection, PatientTimeline, ResourceRef


class Said(NamedTuple):
    """What a question function answers: the reply, one sentence why, and the facts it rests on."""

    reply: Reply
    because: str
    evidence: tuple[ResourceRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How one injection fits one finding. `steps` is the distance between regions, `None` for far or not known.

    `broad`: the site was only given as a wide area such as "face". `months` since the injection, to the newest study.
    """

    injection: FillerInjection
    before: Reply
    reach: Reply
    steps: int | None
    broad: bool
    side: Reply
    appears: Reply
    appears_because: str
    months: tuple[int, int] | None


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
    parts: Mapping[str, int]  # how many regions lie in a wider one such as "face" or "cheek"
    looks: dict[str, Look] = field(default_factory=dict)
    fits: dict[str, tuple[Fit, ...]] = field(default_factory=dict)
    distances: dict[tuple[str, str], int | None] = field(default_factory=dict)  # may be shared between charts

    def steps(self, region: str, other: str) -> int | None:
        """Steps from region to region over the neighbours; `None` beyond two."""
        key = (region, other)
        if key not in self.distances:
            self.distances[key] = distance(self.knowledge, region, other)
        return self.distances[key]

    def months(self, name: str) -> int:
        """A number of the knowledge base that is counted in months."""
        return int(self.knowledge.measures[name].value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one question is asked about: one cause and one finding of one patient. `finding` is `None` without any."""

    chart: Chart
    finding: FindingCourse | None
    look: Look | None
    cause: Cause
    parameters: Mapping[str, tuple[str, ...]]

    def words(self, name: str) -> frozenset[str]:
        """The words of the question's parameter, empty where the cause gives none."""
        return frozenset(self.parameters.get(name, ()))


NO_FINDING = Said(Reply.NOT_KNOWN, "there is no finding to look at")
