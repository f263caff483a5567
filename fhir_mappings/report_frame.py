"""This file holds what all resources of one report version share: whose, by whom, when, under which labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from correlation.assessment import Assessment
from correlation.dates import DateRange
from fhir_mappings import canonical

OwnReference = Callable[[str, str], str]
"""Type and id of a resource of ours to the reference printed for it: `Type/id` when stored, `urn:uuid:id` when not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIdentity:
    """One version of one report. `status` is `preliminary` or `amended`; `issued` must know its time zone."""

    report_id: str
    version: int
    status: str
    issued: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFrame:
    """What every resource of the report repeats. `security` are the labels it must carry."""

    identity: ReportIdentity
    subject: dict[str, Any]
    own_reference: OwnReference
    device_id: str
    security: tuple[dict[str, Any], ...]
    period: DateRange | None
    software_version: str

    @property
    def issued(self) -> str:
        """When this version was made, as a FHIR instant."""
        return instant(self.identity.issued)

    @property
    def performer(self) -> dict[str, Any]:
        """A Reference to our Organization."""
        return {
            "reference": self.own_reference("Organization", canonical.ORGANIZATION_ID),
            "display": canonical.SOFTWARE_NAME,
        }

    @property
    def device(self) -> dict[str, Any]:
        """A Reference to our Device."""
        return {
            "reference": self.own_reference("Device", self.device_id),
            "display": f"{canonical.SOFTWARE_NAME} {self.software_version}",
        }

    def meta(self) -> dict[str, Any]:
        """`meta` of a resource that speaks of the patient: our tag, and the security labels."""
        meta: dict[str, Any] = {"tag": [canonical.own_output_tag()]}
        if self.security:
            meta["security"] = [dict(label) for label in self.security]
        return meta


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC. A moment without a time zone is an error of the caller.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000Z'
    """
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fhir_period(range_: DateRange) -> dict[str, str]:
    """A Period with both ends to the day.

    The ends of a Period are bounds, so "2018" as a start says the same as 2018-01-01; two bounds of different precision
    cannot be compared by the invariant per-1 of FHIR 4.0.1.
    """
    return {"start": range_.earliest.isoformat(), "end": range_.latest.isoformat()}


def spanning(ranges: Sequence[DateRange | None]) -> DateRange | None:
    """From the earliest to the latest day of all known ranges; `None` where none is known."""
    known = [range_ for range_ in ranges if range_ is not None]
    if not known:
        return None
    return DateRange(earliest=min(range_.earliest for range_ in known), latest=max(range_.latest for range_ in known))


def _rested_on(assessment: Assessment) -> frozenset[str]:
    """The references of all that an answer or an alert rests on."""
    answers = (answer for cause in assessment.differential for answer in cause.answers if answer.evidence)
    told = [*(answer.evidence for answer in answers), *(alert.evidence for alert in assessment.alerts)]
    return frozenset([ref.reference for evidence in told for ref in evidence])


def period_of(assessment: Assessment) -> DateRange | None:
    """From the earliest to the latest dated input that was used.

    Injections that count, usable labs, exams and findings are always used; a condition only where an answer or an alert
    rests on it.
    """
    timeline = assessment.timeline
    rested_on = _rested_on(assessment) if timeline.conditions else frozenset()
    return spanning(
        [
            *(injection.performed for injection in timeline.injections if injection.ignored_because is None),
            *(lab.collected for lab in timeline.labs if lab.unusable_because is None),
            *(exam.started for exam in timeline.exams),
            *(finding.seen for finding in timeline.findings),
            *(item.onset for item in timeline.conditions if item.source.reference in rested_on),
        ]
    )
