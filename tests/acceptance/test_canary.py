"""Nothing of a patient's record is in logs, metrics, errors or the queue: a word put into every value is looked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.examples import case_bundle
from tests.servers.redis import RedisServer
from tests.servers.service import Service

CANARY = "zanzibar"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
# What is no patient's value: the structure of FHIR itself, and addresses by which resources name each other.
STRUCTURE = {"resourceType", "type", "status", "system", "fullUrl", "reference", "url", "method", "contentType"}
DATES = ("date", "started", "issued", "Date", "DateTime", "recordedOn")


def marked(value: Any, key: str = "") -> Any:
    """The same record with the canary in every text, code, id, identifier and value that a patient's record fills."""
    if isinstance(value, dict):
        return {name: marked(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [marked(item, key) for item in value]
    if (
        isinstance(value, str)
        and key not in STRUCTURE
        and key not in {"id", "uid", "gender"}
        and not key.endswith(DATES)
    ):
        return (
            f"{value} {CANARY}" if key in {"text", "conclusion", "family", "display", "name"} else f"{value}-{CANARY}"
        )
    return value


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Service, RedisServer]]:
    with RedisServer() as queue:
        settings = {"FILLERTRACE_REDIS_URL": queue.url}
        arguments = ("--port", "0", "--data", str(tmp_path / "data"))
        with Service("serve", *arguments, folder=tmp_path, settings=settings) as service:
            yield service, queue


def everything_in(queue: RedisServer) -> str:
    """Every key and value of the queue, as text."""
    with redis.Redis.from_url(queue.url) as client:
        return "".join(f"{key!r} {client.dump(key)!r}\n" for key in client.scan_iter("*"))


def test_no_value_leaves_the_record(running: tuple[Service, RedisServer], tmp_path: Path) -> None:
    service, queue = running
    record = marked(case_bundle("V01"))
    contradicting = marked(case_bundle("V01"))
    patient = next(
        entry["resource"] for entry in contradicting["entry"] if entry["resource"]["resourceType"] == "Patient"
    )
    patient["birthDate"] = "1920-01-01"
    broken = json.loads(json.dumps(record))
    for entry in broken["entry"]:
        entry["resource"]["status"] = [CANARY]
        entry["resource"]["effectiveDateTime"] = CANARY
        entry["resource"]["valueQuantity"] = CANARY
    url = f"{service.base_url}/$correlate"

    stored = httpx.post(url, json=record, headers={**FHIR_JSON, "Prefer": "wait=60"}, timeout=90)
    assert stored.status_code == 200
    assert CANARY in stored.text, "the report quotes the record, or this test shows nothing"
    in_queue = everything_in(queue)

    refused = [
        httpx.post(url, json=contradicting, headers=FHIR_JSON),
        httpx.post(url, content=json.dumps(record).encode()[:-40], headers=FHIR_JSON),
        httpx.post(url, json={"resourceType": CANARY, "type": CANARY}, headers=FHIR_JSON),
        httpx.post(url, json={**record, "type": CANARY, "entry": CANARY}, headers=FHIR_JSON),
        httpx.post(url, json=record, headers={"Content-Type": f"text/{CANARY}"}),
        httpx.get(f"{service.base_url}/DiagnosticReport", params={"patient": CANARY, CANARY: CANARY}),
        httpx.get(f"{service.base_url}/Patient/{CANARY}"),
        httpx.get(f"{service.base_url}/{CANARY}"),
    ]
    outcome = httpx.post(url, json=broken, headers={**FHIR_JSON, "Prefer": "wait=60"}, timeout=90)
    issues = [
        entry["resource"]
        for entry in outcome.json().get("entry", [{"resource": outcome.json()}])
        if entry["resource"]["resourceType"] == "OperationOutcome"
    ]
    metrics = httpx.get(f"{service.base_url.removesuffix('/fhir')}/metrics").text
    service.stop()

    assert [answer.status_code for answer in refused[:5]] == [422, 400, 422, 422, 415]
    # A search that finds nothing repeats the question in its self link, as FHIR asks; no error repeats anything.
    assert [answer.text for answer in refused if answer.is_error and CANARY in answer.text] == []
    assert CANARY not in json.dumps(issues)
    assert CANARY not in metrics
    assert CANARY not in in_queue + everything_in(queue)
    logs = [file for file in tmp_path.rglob("*.log") if CANARY in file.read_text(errors="replace")]
    assert logs == []
