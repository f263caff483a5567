"""Task, CapabilityStatement, OperationDefinition and the asynchronous answer."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from fhir_mappings.async_response import batch_response
from fhir_mappings.capability import CONFORMANCE_TYPES, TYPES, capability_statement
from fhir_mappings.issues import Issue, operation_outcome
from fhir_mappings.operation_definitions import operation_definitions
from fhir_mappings.structure_definitions import structure_definitions
from fhir_mappings.task import STATUSES, JobView, write_task
from tests.servers.hapi import HapiValidator
from tests.unit.fhir_mappings.assessments import AS_OF, ISSUED
from tests.unit.fhir_mappings.validity import assert_valid

FAILED = Issue(severity="error", code="exception", detail="unreadable-resource", text="Send it again.")


def job(
    status: str,
    *,
    outputs: tuple[str, ...] = (),
    issues: tuple[Issue, ...] = (),
    written_back: Mapping[str, str] = MappingProxyType({}),
) -> JobView:
    return JobView(
        id="job-1",
        status=status,
        reason="waiting for a worker",
        patient="Patient/587",
        received=ISSUED,
        last_modified=ISSUED,
        outputs=outputs,
        written_back=written_back,
        issues=issues,
    )


def test_tasks_of_every_status_are_valid(hapi_validator: HapiValidator) -> None:
    assert_valid((write_task(job(status)) for status in sorted(STATUSES)), hapi_validator)
    outputs, written_back = ("DiagnosticReport/1", "Observation/2"), {"main": "created"}
    full = job("completed", outputs=outputs, issues=(FAILED,), written_back=written_back)
    assert_valid([write_task(full)], hapi_validator)


def test_a_task_says_for_whom_what_came_of_it_and_why_it_failed() -> None:
    written_back = {"main": "refused: not permitted"}
    task = write_task(job("failed", outputs=("DiagnosticReport/1",), issues=(FAILED,), written_back=written_back))
    assert task["for"]["reference"] == "Patient/587"
    assert task["intent"] == "order"
    assert task["focus"] == {"reference": "DiagnosticReport/1"}
    assert [(one["type"]["text"], one.get("valueString")) for one in task["output"]] == [
        ("result", None),
        ("write-back to main", "refused: not permitted"),
        ("issues", None),
    ]
    references = [one["valueReference"]["reference"] for one in task["output"] if "valueReference" in one]
    assert references == ["DiagnosticReport/1", "#issues"]
    assert task["statusReason"] == {"text": "waiting for a worker"}
    assert "businessStatus" not in task
    with pytest.raises(ValueError, match="no such status"):
        write_task(job("done"))


def test_capability_statement_and_definitions_are_valid(hapi_validator: HapiValidator) -> None:
    statement = capability_statement(
        base_url="http://127.0.0.1:8080/fhir", software_version="0.1.0", edition="2026.1", max_bytes=1000, date=AS_OF
    )
    assert_valid([statement, *operation_definitions(software_version="0.1.0")], hapi_validator)
    rest = statement["rest"][0]
    assert [item["code"] for item in rest["interaction"]] == ["transaction", "batch"]
    assert [item["name"] for item in rest["operation"]] == ["correlate", "validate"]
    assert "1000 bytes" in rest["documentation"]
    assert [item["type"] for item in rest["resource"]] == [*(row.type for row in TYPES), *CONFORMANCE_TYPES]
    listed = {url["definition"] for url in rest["operation"]} | {
        operation["definition"] for row in rest["resource"] for operation in row.get("operation", ())
    }
    assert listed == {definition["url"] for definition in operation_definitions(software_version="0.1.0")}


def test_asynchronous_answer_is_valid(hapi_validator: HapiValidator) -> None:
    result = {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-03-04T05:06:07.000Z"}
    outcome = operation_outcome([FAILED])
    good = batch_response(status="200 OK", finished=ISSUED, resource=result, location="http://127.0.0.1/fhir/Task/1")
    bad = batch_response(status="422 Unprocessable Entity", finished=ISSUED, outcome=outcome)
    assert_valid([good, bad], hapi_validator)
    assert good["entry"][0]["resource"] is result
    assert bad["entry"][0]["response"]["outcome"] is outcome


def test_each_extension_of_ours_has_a_definition() -> None:
    assert {item["id"] for item in structure_definitions(software_version="0.1.0")} == {
        "answer-strength",
        "evidence",
        "knowledge-edition",
        "knowledge-digest",
        "written-content",
    }
