from datetime import UTC, datetime
from typing import Any

import pytest

from api.access.caller import OPEN_CALLER, Caller
from api.errors import RequestRefused
from api.signing import read_sign_off, signed_resources
from api.stored_form import as_read
from fhir_mappings.resource_json import dumps, loads
from store.reports import ReportResource, StoredReport

NOW = datetime(2026, 1, 2, tzinfo=UTC)
REPORT_ID = "3f1b1f0a-0f5e-4f6b-9f0a-111111111111"
DOCTOR = [{"display": "Dr A"}]


def _report() -> StoredReport:
    resources = [
        {"resourceType": "DiagnosticReport", "id": REPORT_ID, "status": "preliminary", "conclusion": "Words."},
        {"resourceType": "Observation", "id": "o", "status": "preliminary"},
        {"resourceType": "Provenance", "id": "v1"},
        {"resourceType": "Device", "id": "d", "status": "active"},
    ]
    return StoredReport(
        id=REPORT_ID,
        patient_id="p",
        version=1,
        status="preliminary",
        living=True,
        revision_of=None,
        content_digest="x",
        caller_id=None,
        recorded_at=NOW,
        resources=tuple(
            ReportResource(type=str(one["resourceType"]), id=str(one["id"]), content=dumps(one)) for one in resources
        ),
    )


def _wanted(**changes: Any) -> dict[str, Any]:
    report = _report()
    current = as_read(report.resources[0].content, identity=report.id, version=report.version, modified=NOW)
    return {**current, **changes}


@pytest.mark.requirement("DR-01")
def test_signing_moves_report_and_observations_and_adds_a_provenance() -> None:
    report = _report()
    sign_off = read_sign_off(_wanted(status="final", resultsInterpreter=DOCTOR), report=report)
    written = [loads(one.content) for one in signed_resources(report, sign_off=sign_off, caller=OPEN_CALLER, now=NOW)]
    assert [one["resourceType"] for one in written] == [
        "DiagnosticReport",
        "Observation",
        "Provenance",
        "Provenance",
        "Device",
    ]
    assert [one.get("status") for one in written] == ["final", "final", None, None, "active"]
    assert written[0]["resultsInterpreter"] == DOCTOR
    signature = written[3]
    assert signature["agent"][0]["role"] == [{"text": "identity not verified"}]
    assert signature["target"] == [{"reference": f"DiagnosticReport/{REPORT_ID}/_history/2"}]


def test_a_verified_person_is_named_by_the_token() -> None:
    caller = Caller(client_id="ehr", user="Practitioner/7", verified=True)
    sign_off = read_sign_off(_wanted(status="final", resultsInterpreter=DOCTOR), report=_report())
    written = [loads(one.content) for one in signed_resources(_report(), sign_off=sign_off, caller=caller, now=NOW)]
    assert written[3]["agent"] == [
        {**written[3]["agent"][0], "who": {"reference": "Practitioner/7"}},
    ]
    assert "role" not in written[3]["agent"][0]


def test_withdrawing_needs_no_name() -> None:
    sign_off = read_sign_off(_wanted(status="entered-in-error"), report=_report())
    assert sign_off.status == "entered-in-error"


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"status": "final"}, "resultsInterpreter"),
        ({"status": "amended", "resultsInterpreter": DOCTOR}, "status"),
        ({"status": "final", "resultsInterpreter": DOCTOR, "conclusion": "Others."}, "conclusion"),
        ({"status": "final", "resultsInterpreter": "Dr A"}, "resultsInterpreter"),
    ],
)
def test_any_other_change_is_refused_by_name(changes: dict[str, Any], element: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        read_sign_off(_wanted(**changes), report=_report())
    assert refused.value.status == 422
    assert refused.value.issue.expression == (f"DiagnosticReport.{element}",)


def test_the_sender_s_version_and_time_do_not_count_as_a_change() -> None:
    wanted = _wanted(status="final", resultsInterpreter=DOCTOR)
    del wanted["meta"]
    assert read_sign_off(wanted, report=_report()).status == "final"
