"""This file goes the whole way for one bundle without keeping anything: bytes in, result Bundle and worksheets out.

The command line and `$correlate` with `store=false` use it. References stay in the form of the input, our own resources
are `urn:uuid`s, and the report's id is made from what the patient is known by: the same patient has the same report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from correlation.assess import assess
from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.timeline import Withheld
from correlation.worksheet_text import worksheet_text
from fhir_mappings import canonical
from fhir_mappings.bundle import SUBJECT_ELEMENTS, ParsedBundle
from fhir_mappings.elements import objects, string
from fhir_mappings.patient import PatientGroup, one_patient
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.report_frame import ReportIdentity
from fhir_mappings.result_bundle import as_collection, no_report_collection, write_result
from fhir_mappings.timeline import KeptResource, kept_from_bundle, timeline_from
from fhir_mappings.worksheet_html import worksheet_html
from fhir_mappings.worksheet_view import WorksheetHeader

_ABSOLUTE: Final = ("http://", "https://", "urn:uuid:", "urn:oid:")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatelessResult:
    """The result Bundle, what it rests on, and the worksheet as plain text and as an HTML page.

    Two results with the same `content_digest` say the same about the same facts; empty where there is no report.
    """

    bundle: dict[str, Any]
    assessment: Assessment
    worksheet: str
    html: str
    content_digest: str = ""


def correlate_parsed(
    parsed: ParsedBundle,
    *,
    knowledge: Knowledge,
    as_of: date,
    issued: datetime,
    software_version: str,
    withheld: Iterable[Withheld] = (),
    report_id: str | None = None,
    version: int = 1,
) -> StatelessResult:
    """One FHIR Bundle about one patient as its result. Raises `BundleRejected` (two patients, a conflict).

    `withheld` are the classes of data that are known not to be in it, or not wholly. `report_id` is that of the
    patient's living report, where there is one, and `version` the next of its versions.
    """
    by_patient = sort_by_patient(parsed)
    group = one_patient(by_patient.groups)
    kept = kept_from_bundle(parsed, entries=group.entries)
    mapped = timeline_from(kept, as_of=as_of, knowledge=knowledge, withheld=withheld)
    assessment = assess(mapped.timeline, knowledge, as_of=as_of)
    issues = (*parsed.issues, *by_patient.issues)
    patient_url = _patient_url(group)
    subject = _subject_reference(group)
    if assessment.attribution is None:
        bundle = no_report_collection(
            assessment,
            knowledge,
            mapped=mapped,
            full_url=_urn,
            attempt_issues=issues,
            patient_full_url=patient_url,
        )
        header = WorksheetHeader(subject=subject, software_version=software_version, status="no report")
        return StatelessResult(
            bundle=bundle,
            assessment=assessment,
            worksheet=worksheet_text(assessment, knowledge, software_version=software_version),
            html=worksheet_html(assessment, knowledge, header=header),
        )
    written = write_result(
        assessment,
        knowledge,
        mapped=mapped,
        identity=ReportIdentity(
            report_id=report_id or _report_id(group, kept), version=version, status="preliminary", issued=issued
        ),
        own_reference=_urn,
        patient_reference=subject,
        software_version=software_version,
        attempt_issues=issues,
        read=kept,
        patient_identifier=group.identity.identifiers[0] if group.identity.identifiers else None,
    )
    bundle = as_collection(written, group.resource, full_url=_urn, patient_full_url=patient_url)
    return StatelessResult(
        bundle=bundle,
        assessment=assessment,
        worksheet=written.text,
        html=written.html,
        content_digest=written.content_digest,
    )


def _urn(_type: str, id_: str) -> str:
    return f"urn:uuid:{id_}"


def _report_id(group: PatientGroup, kept: tuple[KeptResource, ...]) -> str:
    """Made from an identifier with system, else an absolute URL; else from the content.

    `Patient/1` alone is nobody in particular: two sources may both have one, and their reports must not share an id.
    """
    identity = group.identity
    if identity.identifiers:
        return canonical.own_id("report|{}|{}".format(*min(identity.identifiers)))
    if identity.urls:
        return canonical.own_id(f"report|{min(identity.urls)}")
    return canonical.own_id("report|" + "|".join(sorted(item.sha256 for item in kept)))


def _patient_url(group: PatientGroup) -> str:
    """The fullUrl under which the Patient came; a new one where FHIR would not take it as an address."""
    for entry in group.entries:
        if entry.resource is group.resource and entry.full_url and entry.full_url.startswith(_ABSOLUTE):
            return entry.full_url
    return _urn("Patient", canonical.own_id("patient|" + "|".join(group.keys)))


def _subject_reference(group: PatientGroup) -> str:
    """How the input itself refers to the patient; empty where it does so by identifier alone."""
    for entry in group.entries:
        for name in SUBJECT_ELEMENTS:
            for subject in objects((entry.resource or {}).get(name)):
                text = string(subject.get("reference"))
                if text in group.keys:
                    return text
    return group.keys[-1] if group.keys else ""
