"""`source` of $correlate: a record is fetched from an EHR that is configured, and from no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ehr.settings import EhrSettings
from store import jobs
from store.job_states import Reason
from tests.servers.redis import RedisServer
from tests.unit.api.service import ASYNC, FHIR_JSON, Door, case, running_door


@pytest.fixture
def at_home(tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    ehr = EhrSettings(servers=("main=https://ehr.example/fhir",))
    with running_door(tmp_path, redis_server.url, ehr=ehr) as door:
        yield door


@pytest.fixture
def address(at_home: Door) -> str:
    report = at_home.correlate(case("V01"))["entry"][0]["resource"]
    return f"/{report['subject']['reference']}/$correlate"


def parameters(name: str) -> bytes:
    given = {"resourceType": "Parameters", "parameter": [{"name": "source", "valueString": name}]}
    return json.dumps(given).encode()


@pytest.mark.parametrize("form", ["address", "Parameters"])
def test_a_job_waits_to_ask_the_ehr_and_is_not_given_to_a_worker_before(at_home: Door, address: str, form: str) -> None:
    asked = (
        at_home.client.post(f"{address}?source=main", headers=ASYNC)
        if form == "address"
        else at_home.client.post(address, content=parameters("main"), headers=ASYNC)
    )
    assert asked.status_code == 202
    job_id = asked.headers["Content-Location"].rsplit("/", 1)[1]
    job = jobs.get(at_home.database, job_id)
    assert job.reason is Reason.WAITING_FOR_EHR
    at_home.run(job_id)
    assert jobs.get(at_home.database, job_id).reason is Reason.WAITING_FOR_EHR
    task = at_home.client.get(f"/Task/{job_id}").json()
    assert task["businessStatus"]["text"] == "waiting to ask the EHR"


@pytest.mark.parametrize(
    ("path", "body"),
    [("{}?source=elsewhere", b""), ("{}", parameters("elsewhere")), ("/$correlate", parameters("main"))],
)
def test_another_source_is_refused_with_what_to_do(at_home: Door, address: str, path: str, body: bytes) -> None:
    refused = at_home.client.post(path.format(address), content=body, headers=FHIR_JSON)
    assert refused.status_code == 422
    issue = refused.json()["issue"][0]
    assert issue["details"]["coding"][0]["code"] == "source-not-known"
    assert issue["expression"] == ["Parameters.parameter.where(name='source')"]
    assert "elsewhere" not in refused.text
