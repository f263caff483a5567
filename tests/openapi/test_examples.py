"""Every example of the OpenAPI document is sent as it stands there, and does what it shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from api.openapi.bodies import FORM
from api.openapi.operations import OPERATIONS
from tests.openapi.record import Record
from tests.servers.redis import RedisServer
from tests.unit.api.service import running_door

EXAMPLES = [(name, example) for name, row in OPERATIONS.items() if row.body for example in row.body.examples]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Record]:
    with running_door(tmp_path_factory.mktemp("examples"), redis_server.url) as door:
        record = Record(door)
        created = OPERATIONS["create"].body
        assert created is not None
        record.patient_id = record.create(created.examples["patient"])  # the one that the others are about
        yield record


def _body(record: Record, media_type: str, value: dict[str, Any]) -> str:
    """The example; only our own id can stand for ours."""
    if media_type == FORM:
        return urlencode(value)
    return json.dumps(value).replace("{resource_id}", record.patient_id)


@pytest.mark.parametrize(("operation", "example"), EXAMPLES)
def test_an_example_runs(record: Record, operation: str, example: str) -> None:
    said = record.asker.said(operation)
    ((media_type, content),) = said["requestBody"]["content"].items()
    shown = {one["name"]: one["example"] for one in said["parameters"] if "example" in one}
    body = _body(record, media_type, content["examples"][example]["value"])
    answer = record.asker.ask(operation, at={**record.at, **shown}, content=body, headers={"Content-Type": media_type})
    assert 200 <= answer.status_code < 300, answer.text
    assert record.asker.untrue == []
    if operation.startswith("validate"):
        assert {issue["severity"] for issue in answer.json()["issue"]} <= {"information", "warning"}, answer.text


@pytest.mark.parametrize("operation", [name for name, row in OPERATIONS.items() if "artefact_id" in row.path_examples])
def test_the_artefact_of_an_example_is_there(record: Record, operation: str) -> None:
    shown = {one["name"]: one["example"] for one in record.asker.said(operation)["parameters"] if "example" in one}
    assert record.asker.ask(operation, at=shown).status_code == 200


def test_the_record_of_the_example_is_correlated(record: Record) -> None:
    """The example of `$correlate` is a case: the deposits fit the filler on record."""
    body = OPERATIONS["correlate"].body
    assert body is not None
    result = record.door.correlate(json.dumps(body.examples["record"]))
    attribution = result["entry"][2]["resource"]
    assert result["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
    assert attribution["valueCodeableConcept"]["coding"][0]["code"] == "explained"
