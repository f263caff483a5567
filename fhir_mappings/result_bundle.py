"""This file puts a whole answer together: the DiagnosticReport, its Observations, Provenance, Device and Organization.

Resources are plain dictionaries, because building FHIR models costs more than the whole reasoning; the tests prove them
valid with fhir.resources and with HAPI's validator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.worksheet_text import worksheet_text
from fhir_mappings import canonical
from fhir_mappings.code_systems import alert_words
from fhir_mappings.content_digest import content_digest
from fhir_mappings.diagnostic_report import PresentedForms, write_diagnostic_report
from fhir_mappings.issues import WARNING, Issue, operation_outcome
from fhir_mappings.own_agents import device_id, write_device, write_organization
from fhir_mappings.provenance import write_provenance
from fhir_mappings.report_frame import OwnReference, ReportFrame, ReportIdentity, period_of
from fhir_mappings.result_observations import write_observations
from fhir_mappings.security_labels import strictest_labels
from fhir_mappings.statements import changed_after_signature_words
from fhir_mappings.timeline import KeptResource, Mapped
from fhir_mappings.withheld import withheld_issues
from fhir_mappings.worksheet_html import worksheet_html
from fhir_mappings.worksheet_view import WorksheetHeader

__all__ = ["ReportIdentity", "WrittenResult", "as_collection", "no_report_collection", "write_result"]

_URN: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenResult:
    """One report version: `resources` with the DiagnosticReport first, what was left out or guessed, and the digest.

    Two results with the same `content_digest` say the same about the same facts; the second is no new version.
    """

    resources: tuple[dict[str, Any], ...]
    outcome: dict[str, Any] | None
    content_digest: str
    html: str
    text: str


def write_result(
    assessment: Assessment,
    knowledge: Knowledge,
    *,
    mapped: Mapped,
    identity: ReportIdentity,
    own_reference: OwnReference,
    patient_reference: str,
    software_version: str,
    attempt_issues: Sequence[Issue] = (),
    changed_after_signature: date | None = None,
    revision_of: str | None = None,
    patient_identifier: tuple[str, str] | None = None,
    read: Iterable[KeptResource] = (),
) -> WrittenResult:
    """The report version `identity` as FHIR resources.

    `patient_reference` is printed as the subject; where it is empty, `patient_identifier` (system, value) is.
    `attempt_issues` are issues of this run alone, such as a server that did not answer. `changed_after_signature` is
    the day on which new facts changed a signed report; `revision_of` is the id of a withdrawn report that this one
    follows. `read` are the resources that were read: the report carries their strictest security label. Raises
    ValueError without an attribution: without imaging there is no report.
    """
    if assessment.attribution is None:
        raise ValueError("without imaging there is no report: write no_report_collection instead")
    if changed_after_signature is not None:
        words = changed_after_signature_words(changed_after_signature, knowledge.words)
        assessment = replace(assessment, conclusion=f"{words} {assessment.conclusion}")
    subject = _subject(patient_reference, patient_identifier)
    security = strictest_labels(item.resource for item in read)
    frame = _frame(assessment, identity, own_reference, subject, security, software_version)
    forms = _forms(assessment, knowledge, frame)
    observations = write_observations(assessment, knowledge, frame=frame)
    report = write_diagnostic_report(assessment, knowledge, frame=frame, observations=observations, forms=forms)
    stored = not own_reference("DiagnosticReport", identity.report_id).startswith(_URN)
    provenance = write_provenance(mapped.inputs, frame=frame, stored=stored, revision_of=revision_of)
    device = write_device(
        software_version=software_version,
        edition=assessment.edition,
        digest=assessment.digest,
        own_reference=own_reference,
    )
    issues = (*withheld_issues(assessment.timeline.withheld, knowledge), *mapped.issues, *attempt_issues)
    return WrittenResult(
        resources=(report, *observations, provenance, device, write_organization()),
        outcome=operation_outcome(issues) if issues else None,
        content_digest=content_digest(assessment),
        html=forms.html,
        text=forms.text,
    )


def as_collection(
    written: WrittenResult,
    patient: dict[str, Any] | None,
    *,
    full_url: Callable[[str, str], str],
    patient_full_url: str | None = None,
) -> dict[str, Any]:
    """The result Bundle: the report first, then the Patient as received, then the rest, the OperationOutcome last.

    `full_url` makes the address of a resource from type and id; `patient_full_url` is the Patient's own, if it came
    with one.
    """
    report, *others = written.resources
    entries = [_entry(report, full_url), *_patient_entries(patient, full_url, patient_full_url)]
    entries.extend(_entry(resource, full_url) for resource in others)
    if written.outcome is not None:
        outcome_id = canonical.id_within(report["id"], "outcome")
        entries.append({"fullUrl": f"{_URN}{outcome_id}", "resource": written.outcome})
    return {"resourceType": "Bundle", "type": "collection", "timestamp": report["issued"], "entry": entries}


def no_report_collection(
    assessment: Assessment,
    knowledge: Knowledge,
    *,
    mapped: Mapped,
    full_url: Callable[[str, str], str],
    attempt_issues: Sequence[Issue] = (),
    patient_full_url: str | None = None,
) -> dict[str, Any]:
    """The answer where no imaging is in reach: an OperationOutcome that says what is missing, and the Patient.

    An alert that holds without imaging (a raised calcium, say) comes first, by its code and its words alone: an
    OperationOutcome never holds a value from the record.
    """
    alerts = dict.fromkeys(alert.code for alert in assessment.alerts)
    issues = (
        *(_alert_issue(code, alert_words(code, knowledge)) for code in alerts),
        _no_imaging_issue(),
        *withheld_issues(assessment.timeline.withheld, knowledge),
        *mapped.issues,
        *attempt_issues,
    )
    outcome = operation_outcome(issues)
    entries = [
        {"fullUrl": f"{_URN}{canonical.own_id('no-report')}", "resource": outcome},
        *_patient_entries(mapped.patient, full_url, patient_full_url),
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _subject(reference: str, identifier: tuple[str, str] | None) -> dict[str, Any]:
    if reference or identifier is None:
        return {"reference": reference, "type": "Patient"}
    system, value = identifier
    return {"type": "Patient", "identifier": {"system": system, "value": value}}


def _frame(
    assessment: Assessment,
    identity: ReportIdentity,
    own_reference: OwnReference,
    subject: dict[str, Any],
    security: tuple[dict[str, Any], ...],
    software_version: str,
) -> ReportFrame:
    return ReportFrame(
        identity=identity,
        subject=subject,
        own_reference=own_reference,
        device_id=device_id(software_version=software_version, edition=assessment.edition, digest=assessment.digest),
        security=security,
        period=period_of(assessment),
        software_version=software_version,
    )


def _forms(assessment: Assessment, knowledge: Knowledge, frame: ReportFrame) -> PresentedForms:
    header = WorksheetHeader(
        subject=frame.subject.get("reference", knowledge.words.say("page.by_identifier")),
        software_version=frame.software_version,
        status=frame.identity.status,
        report_id=frame.identity.report_id,
        issued=frame.issued,
    )
    return PresentedForms(
        html=worksheet_html(assessment, knowledge, header=header),
        text=worksheet_text(assessment, knowledge, software_version=frame.software_version),
    )


def _entry(resource: dict[str, Any], full_url: Callable[[str, str], str]) -> dict[str, Any]:
    return {"fullUrl": full_url(resource["resourceType"], resource["id"]), "resource": resource}


def _patient_entries(
    patient: dict[str, Any] | None, full_url: Callable[[str, str], str], patient_full_url: str | None
) -> list[dict[str, Any]]:
    if patient is None:
        return []
    id_ = patient.get("id")
    address = patient_full_url or (full_url("Patient", id_) if isinstance(id_, str) else None)
    return [{"fullUrl": address, "resource": patient} if address else {"resource": patient}]


def _no_imaging_issue() -> Issue:
    return Issue(
        severity=WARNING,
        code="not-found",
        detail="no-imaging",
        text="No report was made: no imaging of this patient is in reach. Send an ImagingStudy, the radiologist's "
        "DiagnosticReport, or Observations of imaging findings; a report follows by itself.",
    )


def _alert_issue(alert: str, words: str) -> Issue:
    return Issue(
        severity=WARNING,
        code="business-rule",
        detail="alert-without-report",
        text=f"The record raises an alert although no report can be made: {words}. Look at the record now.",
        alert=alert,
    )
