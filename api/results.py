"""This file puts together what a finished job came to: the result Bundle of a stored report, or what is missing.

Contract, section 4: the DiagnosticReport first, then the Patient as received, then what belongs to the report, and an
OperationOutcome when something was left out or guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.access.sight import Sight
from api.parts import Parts
from api.receiving import kick_off_from
from api.seen_reports import hidden, seen_result, sees_of
from api.stored_form import as_read, received_as_read
from correlation.words import BASE_LANGUAGE
from fhir_mappings import canonical
from fhir_mappings.issues import Issue, operation_outcome
from fhir_mappings.resource_json import loads
from store import report_search, reports, resources, submissions
from store.errors import NotFound
from store.jobs import Job
from store.reports import StoredReport


def result_bundle(sight: Sight, job: Job, *, current: bool, language: str = BASE_LANGUAGE) -> dict[str, Any]:
    """The result Bundle of a completed job, as the caller may see it, in a language; with `current`, the patient's
    report as it is now.

    Raises RequestRefused (403) where they may see nothing that it rests on.
    """
    parts, base = sight.parts, sight.base
    patient = _patient_entry(sight, job.patient_id)
    report = _current_report(parts, job.patient_id) if current else None
    if report is None and job.report_id is not None and job.report_version is not None:
        report = report_search.read(parts.database, job.report_id, version=job.report_version)
    if report is None:
        if not _sees_record(sight, job.patient_id):
            raise hidden()  # what is missing is told by what is there
        outcome = _outcome(parts, job)
        entries = [*_outcome_entry(outcome, canonical.own_id("no-report")), *patient]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}
    seen = seen_result(sight, report, language=language)
    first, *others = report_entries(seen.report, base)
    entries = [first, *patient, *others]
    entries += _outcome_entry(_outcome(parts, job, instead=seen.issues), canonical.id_within(report.id, "outcome"))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": first["resource"]["issued"],
        "entry": entries,
    }


def report_entries(report: StoredReport, base: str) -> list[dict[str, Any]]:
    """The resources of a report's version as entries, the DiagnosticReport first."""
    return [
        {
            "fullUrl": f"{base}/{resource.type}/{resource.id}",
            "resource": as_read(
                resource.content, identity=resource.id, version=report.version, modified=report.recorded_at
            ),
        }
        for resource in report.resources
    ]


def _current_report(parts: Parts, patient_id: str) -> StoredReport | None:
    living = reports.living(parts.database, patient_id)
    return None if living is None else report_search.read(parts.database, living.id)


def _patient_entry(sight: Sight, patient_id: str) -> list[dict[str, Any]]:
    """The Patient as received, where one was ever sent and the caller may see it."""
    try:
        patient = resources.read(sight.parts.database, "Patient", patient_id)
    except NotFound:
        return []
    written = received_as_read(patient)
    if not sight.sees("Patient", patient.id, content=written, patient_id=patient_id):
        return []
    return [{"fullUrl": f"{sight.base}/Patient/{patient.id}", "resource": written}]


def _sees_record(sight: Sight, patient_id: str) -> bool:
    """Whether no evidence that is kept of a patient is hidden from the caller."""
    if sight.unlimited:
        return True
    return sees_of(sight, resources.of_patient(sight.parts.database, patient_id)).all_evidence


def _outcome(parts: Parts, job: Job, *, instead: list[Any] | None = None) -> dict[str, Any] | None:
    """The issues of the correlation, or those that stand `instead` of them, with those of the Bundle that started it
    behind them."""
    stored = loads(job.outcome)["issue"] if instead is None and job.outcome else ()
    written: list[Any] = list(stored if instead is None else instead)
    options = submissions.kick_off(parts.database, job.submission_id).options
    intake_issues: Sequence[Issue] = kick_off_from(options).issues
    if intake_issues:
        written += [issue for issue in operation_outcome(intake_issues)["issue"] if issue not in written]
    return {"resourceType": "OperationOutcome", "issue": written} if written else None


def _outcome_entry(outcome: dict[str, Any] | None, identity: str) -> list[dict[str, Any]]:
    return [] if outcome is None else [{"fullUrl": f"urn:uuid:{identity}", "resource": outcome}]
