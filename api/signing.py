"""This file decides what a person may change of a report, and writes the version that says so (contract, section 5).

Only `status` and `resultsInterpreter` may differ from the current version: `final` signs it, `entered-in-error`
withdraws it. The result Observations follow, and a Provenance names who did it and whether that was checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admission.search_terms import report_resource
from api.access.caller import Caller
from api.errors import RequestRefused
from api.stored_form import as_read
from fhir_mappings import canonical
from fhir_mappings.provenance import provenance_id
from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import loads
from store.reports import ENTERED_IN_ERROR, FINAL, ReportResource, StoredReport

_CHANGEABLE = ("status", "resultsInterpreter")
_WORDS: Mapping[str, str] = {FINAL: "Signed", ENTERED_IN_ERROR: "Withdrawn as entered in error"}
_PRACTITIONER = re.compile(r"(?:^|/)Practitioner/[A-Za-z0-9.\-]{1,64}$")
NOT_VERIFIED = "identity not verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """What a person asked for: `status` is `final` or `entered-in-error`; `interpreter` who is named as reader."""

    status: str
    interpreter: list[dict[str, Any]]


def may_sign(caller: Caller) -> bool:
    """Whether the caller is a person who signs: a `user/` scope and, where it was checked who calls, a Practitioner.

    A program by itself (`system/`) never signs, nor does a patient.
    """
    person = any(
        scope.context == "user" and scope.covers("DiagnosticReport") and "u" in scope.rights and not scope.parameters
        for scope in caller.scopes
    )
    return person and (not caller.verified or _PRACTITIONER.search(caller.user or "") is not None)


def read_sign_off(wanted: Mapping[str, Any], *, report: StoredReport) -> SignOff:
    """The sign-off in a PUT body. Raises RequestRefused (422) for any other change."""
    first = report.resources[0]
    current = as_read(first.content, identity=report.id, version=report.version, modified=report.recorded_at)
    changed = [
        name
        for name in sorted({*current, *wanted} - set(_CHANGEABLE))
        if _plain(name, current.get(name)) != _plain(name, wanted.get(name))
    ]
    if changed:
        raise _refused(
            "Only status and resultsInterpreter of a report can be changed: read it, change these, put it back.",
            *(f"DiagnosticReport.{name}" for name in changed if name in current),
        )
    status, interpreter = wanted.get("status"), wanted.get("resultsInterpreter", [])
    if status not in _WORDS:
        raise _refused("Set status to final to sign, or to entered-in-error to withdraw.", "DiagnosticReport.status")
    if not isinstance(interpreter, list) or not all(isinstance(one, dict) and one for one in interpreter):
        raise _refused("resultsInterpreter is a list of References.", "DiagnosticReport.resultsInterpreter")
    if status == FINAL and not interpreter:
        raise _refused(
            "Who signs is named in resultsInterpreter: a Reference to a Practitioner, or its display.",
            "DiagnosticReport.resultsInterpreter",
        )
    return SignOff(status=str(status), interpreter=interpreter)


def signed_resources(
    report: StoredReport, *, sign_off: SignOff, caller: Caller, now: datetime
) -> tuple[ReportResource, ...]:
    """The resources of the next version: report and Observations with the new status, and one more Provenance."""
    version = report.version + 1
    signed = []
    for resource in report.resources:
        content = loads(resource.content)
        if resource.type in {"DiagnosticReport", "Observation"}:
            content["status"] = sign_off.status
        if resource.type == "DiagnosticReport":
            content.pop("resultsInterpreter", None)
            if sign_off.interpreter:
                content["resultsInterpreter"] = sign_off.interpreter
        signed.append(report_resource(content))
    provenance = _provenance(report, version=version, sign_off=sign_off, caller=caller, now=now)
    after = 1 + max(
        place for place, one in enumerate(signed) if one.type in {"Observation", "Provenance", "DiagnosticReport"}
    )
    kept = report_resource(provenance)
    return (*signed[:after], kept, *signed[after:])


def _provenance(
    report: StoredReport, *, version: int, sign_off: SignOff, caller: Caller, now: datetime
) -> dict[str, Any]:
    words = _WORDS[sign_off.status]
    unnamed = {"display": "A person who was not named"}
    people = sign_off.interpreter if caller.user is None else [{"reference": caller.user}]
    role = [] if caller.verified else [{"text": NOT_VERIFIED}]
    return {
        "resourceType": "Provenance",
        "id": provenance_id(report.id, version),
        "meta": {"tag": [canonical.own_output_tag()]},
        "target": [{"reference": f"DiagnosticReport/{report.id}/_history/{version}"}],
        "recorded": instant(now),
        "reason": [{"text": words if caller.verified else f"{words}; {NOT_VERIFIED}"}],
        "activity": {
            "coding": [{"system": canonical.DATA_OPERATION, "code": "UPDATE", "display": "revise"}],
            "text": words,
        },
        "agent": [
            {
                "type": {"coding": [{"system": canonical.PARTICIPANT, "code": "attester", "display": "Attester"}]},
                **({"role": role} if role else {}),
                "who": person,
            }
            for person in (people or [unnamed])
        ],
        "entity": [
            {
                "role": "revision",
                "what": {"reference": f"DiagnosticReport/{report.id}/_history/{report.version}"},
            }
        ],
    }


def _plain(name: str, value: object) -> object:
    """A value for comparing: version and time in `meta` are ours to write, and say nothing."""
    if name == "meta" and isinstance(value, dict):
        return {key: one for key, one in value.items() if key not in {"versionId", "lastUpdated"}} or None
    return value


def _refused(text: str, *expression: str) -> RequestRefused:
    return RequestRefused(422, code="business-rule", detail="not-changeable", text=text, expression=expression)
