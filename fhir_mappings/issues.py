"""This file names what could not be read or had to be guessed, and writes it as a FHIR OperationOutcome.

An issue says where (FHIRPath) and how to mend it. It never holds a value from the record.
FHIR R4: https://hl7.org/fhir/R4/operationoutcome.html, codes of https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fhir_mappings import canonical

ERROR: Final = "error"
WARNING: Final = "warning"
INFORMATION: Final = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that was refused, left out or guessed.

    `severity` is `error`, `warning` or `information`; `code` a FHIR issue-type; `detail` a code of our CodeSystem
    `issue` (`ISSUE_CODES`); `text` says how to mend it; `expression` holds FHIRPaths that name the entry. `alert`
    is the code of the alert (CodeSystem `alert`) that this issue passes on.
    """

    severity: str
    code: str
    detail: str
    text: str
    expression: tuple[str, ...] = ()
    alert: str = ""


ISSUE_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alert-without-report": "An alert was raised where no report could be made",
        "ambiguous-reference": "A reference fits more than one resource",
        "broken-rule": "An invariant of FHIR R4 does not hold",
        "circular-reference": "References go round in a circle",
        "comparator": "The result is a limit, not a number",
        "contradictory-dates": "The record gives different dates for one event",
        "contradictory-sides": "The record names opposite sides for one site",
        "count-mismatch": "A number that says how many there are, and other ones there",
        "dangling-reference": "A reference leads to nothing that was sent or kept",
        "duplicate-key": "A JSON object names the same key twice",
        "empty-bundle": "The Bundle has no entries",
        "fhir-version": "Another version of FHIR than R4",
        "impossible-date": "A date that cannot be true",
        "impossible-value": "A number that cannot be true",
        "invalid-element": "An element that is not as FHIR R4 has it",
        "invalid-reference": "A reference that cannot stand here",
        "missing-element": "An element that must be there is missing",
        "lenient-reference": "A relative reference without a fullUrl, found by type and id alone",
        "logical-reference": "A reference by identifier alone",
        "mixed-units": "Code and printed unit of a quantity differ",
        "no-date": "A date is missing or cannot be read",
        "no-imaging": "No imaging is in reach",
        "no-patient": "No patient is named",
        "no-resource": "An entry without a resource",
        "no-series": "An ImagingStudy without series",
        "no-subject": "A resource does not say whose it is",
        "no-unit": "A result without a unit",
        "not-a-bundle": "Not a FHIR Bundle",
        "not-an-injection": "Looks like a filler procedure, but nothing was put in",
        "not-counted": "Recorded, but its status forbids counting it",
        "not-json": "Not JSON",
        "open-period": "A period with one end open",
        "own-output": "Made by Fillertrace, never evidence for it",
        "patient-conflict": "The same identifier stands for two different people",
        "product-conflict": "The record names different products for one procedure",
        "product-in-note": "A filler is named where no filler was injected",
        "reference-not-looked-for": "A reference that is a search for what is not kept here",
        "report-not-available": "A report exists whose words were not sent",
        "source-not-known": "No configured source has this name",
        "told-filler": "A filler is told of, not recorded as a procedure",
        "too-deep": "Nested too deep",
        "too-large": "Too large",
        "two-patients": "More than one patient",
        "unknown-code": "A code that is not known here",
        "unknown-profile": "A profile that is not known here",
        "unknown-field": "A field that FHIR R4 does not have",
        "unknown-type": "A kind of resource that is not read",
        "unknown-unit": "A unit that cannot be converted",
        "unreadable-resource": "A resource that could not be read",
        "uncertain-status": "The status leaves open whether it happened",
        "withheld": "A class of data could not be seen, or not wholly",
    }
)
"""Our codes with plain words: what the CodeSystem `issue` lists for reading. Doors may add their own."""

EXPLAINED_IN: Final = "docs/issues.md"
"""The page of the repository that explains every code; each has an anchor of its own there."""

_SHOWN_PATHS: Final = 20


def grouped(issue: Issue, *, paths: Iterable[str]) -> Issue:
    """The same issue for many places: the first twenty are named, the text says how many there are."""
    every = tuple(paths)
    text = issue.text if len(every) <= _SHOWN_PATHS else f"{issue.text} ({len(every)} places, the first are named)"
    return Issue(
        severity=issue.severity, code=issue.code, detail=issue.detail, text=text, expression=every[:_SHOWN_PATHS]
    )


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The issues as an OperationOutcome; without any, one that says all is well (FHIR asks for at least one)."""
    written = [_write_issue(issue) for issue in issues]
    return {"resourceType": "OperationOutcome", "issue": written or [_ALL_WELL]}


_ALL_WELL: Final[dict[str, Any]] = {"severity": INFORMATION, "code": "informational", "diagnostics": "No issues found."}


def _write_issue(issue: Issue) -> dict[str, Any]:
    coding = {"system": canonical.ISSUE, "code": issue.detail}
    if issue.detail in ISSUE_CODES:
        coding["display"] = ISSUE_CODES[issue.detail]
    codings = [coding, {"system": canonical.ALERT, "code": issue.alert}] if issue.alert else [coding]
    written: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"coding": codings, "text": issue.text},
    }
    written["diagnostics"] = f"{EXPLAINED_IN}#{issue.detail}"
    if issue.expression:
        written["expression"] = list(issue.expression)
    return written
