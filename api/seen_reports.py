"""This file shows a report of ours as one caller may see it: whole, or computed for them from what they may see.

A report quotes its inputs, so who may not see them may not see it either. To such a caller the version is computed
again from the inputs within their sight; it says which classes of data are withheld, and claims less. Nothing of it is
kept, and it is never a signed one. Nor does a search tell of what is withheld: of what we made, it finds whole reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.access.sight import Sight
from api.errors import RequestRefused
from api.recomputed import Narrow, NotRecomputable, inputs_of, recompute_version
from api.spoken import spoken
from correlation.timeline import Withheld, WithheldBecause
from correlation.words import BASE_LANGUAGE
from fhir_mappings import canonical
from fhir_mappings.resource_json import dumps, loads
from fhir_mappings.withheld import CLASS_OF_TYPE, withheld_types
from store import report_search
from store.errors import NotFound
from store.report_search import OwnResource
from store.reports import ReportResource, StoredReport
from store.resources import StoredResource
from store.search_index import OF_NO_REPORT

_ABOUT_THE_PATIENT = frozenset({"DiagnosticReport", "Observation"})


def sees_whole(sight: Sight, report: StoredReport) -> bool:
    """Whether nothing that the report, as it is stored, rests on is hidden from the caller."""
    if sight.unlimited:
        return True
    key = report.id, report.version
    if key not in sight.whole_reports:
        sight.whole_reports[key] = _sees_whole(sight, report)
    return sight.whole_reports[key]


def _sees_whole(sight: Sight, report: StoredReport) -> bool:
    if not sight.sees_whole_reports or sight.hides(loads(report.resources[0].content)):
        return False
    try:
        inputs = inputs_of(sight.parts.database, report)
    except NotRecomputable:
        return sight.sees_every_patient
    return sees_of(sight, inputs).all_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInputs:
    """Of resources that a report may rest on: what the caller sees, what a label keeps from them, what else they do
    not see."""

    seen: list[StoredResource]
    labelled: list[StoredResource]
    others: list[StoredResource]

    @property
    def all_evidence(self) -> bool:
        """Whether they see all that may be evidence: who treated a patient, and where, is none."""
        return not self.labelled and not any(one.type in CLASS_OF_TYPE for one in self.others)


def sees_of(sight: Sight, inputs: Sequence[StoredResource]) -> SeenInputs:
    """What the caller sees of these resources."""
    found = SeenInputs(seen=[], labelled=[], others=[])
    since = sight.hidden_since(one.id for one in inputs)
    for one in inputs:
        content = loads(one.content)
        if one.id in since or sight.hides(content):
            found.labelled.append(one)
        elif sight.sees(one.type, one.id, content=content, patient_id=one.patient_id):
            found.seen.append(one)
        else:
            found.others.append(one)
    return found


def finds_made(sight: Sight, type_: str) -> bool:
    """Whether a search of a type may find what we made: not where a report is not whole to the caller, as it would be
    found by what was withheld from them."""
    return type_ in OF_NO_REPORT or sight.unlimited or sight.sees_whole_reports


def is_of_whole_report(sight: Sight, type_: str, identity: str, *, version: int) -> bool:
    """Whether a resource that we made is of a report that is whole to the caller."""
    if sight.unlimited or type_ in OF_NO_REPORT:
        return True
    made = report_search.read_resource(sight.parts.database, type_, identity, version=version)
    known = sight.whole_reports.get((made.report_id, made.version))
    if known is not None:
        return known
    return sees_whole(sight, report_search.read(sight.parts.database, made.report_id, version=made.version))


def seen_report(sight: Sight, report: StoredReport, *, language: str = BASE_LANGUAGE) -> StoredReport:
    """The report version as the caller may see it, in a language. Raises as `seen_result`."""
    return seen_result(sight, report, language=language).report


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenResult:
    """A report version as a caller may see it. `issues` are those of the computation that was made for them, None where
    they see it as it is stored."""

    report: StoredReport
    issues: list[Any] | None = None


def check_in_sight(sight: Sight, report: StoredReport) -> None:
    """Raise NotFound unless the caller may see this report, whole or in part."""
    content = _without_labels(loads(report.resources[0].content))
    if not sight.sees("DiagnosticReport", report.id, content=content, patient_id=report.patient_id):
        raise NotFound("DiagnosticReport", report.id)


def seen_result(sight: Sight, report: StoredReport, *, language: str = BASE_LANGUAGE) -> SeenResult:
    """The report version as the caller may see it, in a language, with what is to be said of it.

    Raises NotFound where the patient is out of their sight, and RequestRefused (403) where they may see nothing that
    a report can rest on.
    """
    if sight.unlimited:
        return SeenResult(report=spoken(sight.parts, report, language=language))
    check_in_sight(sight, report)
    if sees_whole(sight, report):
        return SeenResult(report=spoken(sight.parts, report, language=language))
    return _computed_for(sight, report, language=language)


def seen_resource(sight: Sight, made: OwnResource) -> OwnResource:
    """A resource that we made, as the caller may see it. Raises NotFound, RequestRefused as `seen_report`."""
    if sight.unlimited:
        return made
    sight.require(made.type, "r")
    if made.type in OF_NO_REPORT:
        return made  # our software and our organisation: about no patient
    if not sight.reach(made.type, "r").everything and made.patient_id not in sight.caller.patient_ids:
        raise NotFound(made.type, made.id)
    report = seen_report(sight, report_search.read(sight.parts.database, made.report_id, version=made.version))
    seen = next((one for one in report.resources if (one.type, one.id) == (made.type, made.id)), None)
    if seen is None:
        raise NotFound(made.type, made.id)
    content: dict[str, Any] = loads(seen.content)
    if not sight.sees(made.type, made.id, content=_without_labels(content), patient_id=made.patient_id):
        raise NotFound(made.type, made.id)
    return replace(made, content=seen.content)


def narrowing(sight: Sight) -> Narrow:
    """What of the inputs of a version the caller may see, and the classes of data that are withheld from them."""

    def narrow(inputs: list[StoredResource]) -> tuple[list[StoredResource], Iterable[Withheld]]:
        found = sees_of(sight, inputs)
        # Within their scopes and yet not seen: what speaks of another patient as well.
        others = (one.type for one in found.others if sight.reach(one.type, "r").whole)
        withheld = {
            *sight.withheld,
            *withheld_types((one.type for one in found.labelled), because=WithheldBecause.CONFIDENTIAL),
            *withheld_types(others, because=WithheldBecause.LIMITED),
        }
        return found.seen, withheld

    return narrow


def hidden() -> RequestRefused:
    """The refusal of a report of which the caller may see nothing that it can rest on."""
    text = (
        "Your access hides what this report rests on, so it is not shown. Ask for scopes that let you read the "
        "patient's imaging, observations and procedures, such as patient/*.rs."
    )
    return RequestRefused(403, code="suppressed", detail="withheld", text=text)


def _computed_for(sight: Sight, report: StoredReport, *, language: str) -> SeenResult:
    """The version computed from what the caller may see."""
    try:
        found = recompute_version(
            sight.parts.database,
            report.id,
            version=report.version,
            current=sight.parts.knowledge,
            language=language,
            narrow=narrowing(sight),
        )
    except NotRecomputable:
        raise hidden() from None
    written = found.recomputed.written
    if written is None:
        raise hidden()
    shown = tuple(
        ReportResource(type=one["resourceType"], id=one["id"], content=dumps(_redacted(one)))
        for one in found.resources_now
    )
    return SeenResult(
        report=replace(report, status=found.basis.identity.status, resources=shown),
        issues=[] if written.outcome is None else list(written.outcome["issue"]),
    )


def _without_labels(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "meta"}


def _redacted(resource: dict[str, Any]) -> dict[str, Any]:
    """Labelled as having parts taken out, so that no reader takes it for the whole."""
    if resource["resourceType"] not in _ABOUT_THE_PATIENT:
        return resource
    meta = resource["meta"]
    label = {"system": canonical.OBSERVATION_VALUE, "code": "REDACTED", "display": "redacted"}
    return {**resource, "meta": {**meta, "security": [*meta.get("security", ()), label]}}
