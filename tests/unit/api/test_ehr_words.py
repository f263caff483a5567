"""What is said of EHRs: why a fetch failed, what became of a write-back, and how listening goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.ehr_words import FAILURES
from ehr.errors import EhrError, NotPermitted, Refused, Unavailable
from ehr.settings import EhrSettings
from store import jobs, listening, write_backs
from store.write_backs import WriteBack
from tests.servers.redis import RedisServer
from tests.unit.api.service import ASYNC, FHIR_JSON, Door, case, running_door

BASE = "https://ehr.example/fhir"
EHR = EhrSettings(servers=(f"main={BASE}",), write_back=("main",), subscribe=("main",))
FROM_THERE = json.dumps({"resourceType": "Parameters", "parameter": [{"name": "source", "valueString": "main"}]})


@pytest.fixture
def door(tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url, ehr=EHR) as running:
        yield running


def now() -> datetime:
    return datetime.now(UTC)


def correlated(door: Door) -> dict[str, Any]:
    """The Task of a job that made a report of a patient whom the EHR knows."""
    record = json.loads(case("V01"))
    patient = next(one for one in record["entry"] if one["resource"]["resourceType"] == "Patient")
    patient["resource"]["identifier"] = [{"system": "https://ehr.example/mrn", "value": "7"}]
    link = {"fullUrl": f"{BASE}/Patient/7", "resource": {**patient["resource"], "id": "7"}}
    door.correlate(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [link]}))
    accepted = door.client.post("/$correlate", content=json.dumps(record), headers=ASYNC)
    job_id = accepted.headers["Content-Location"].rpartition("/")[2]
    door.run(job_id)
    return task(door, job_id)


def task(door: Door, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = door.client.get(f"/Task/{job_id}").json()
    return found


def metrics(door: Door) -> str:
    return httpx.get(f"{door.base.removesuffix('/fhir')}/metrics").text


def fetching(door: Door) -> str:
    """The id of a job that is to fetch its patient from the EHR first."""
    patient = correlated(door)["for"]["reference"]
    accepted = door.client.post(f"/{patient}/$correlate", content=FROM_THERE, headers=ASYNC)
    assert accepted.status_code == 202, accepted.text
    return str(accepted.headers["Content-Location"].rpartition("/")[2])


def fail(door: Door, error: type[Exception], *, again: bool) -> None:
    claimed = jobs.claim_fetch(door.database, worker="tests", now=now(), lease_seconds=60)
    assert claimed is not None
    named = error.__name__
    jobs.fail(door.database, claimed, error_type=named, now=now(), retry_delays_seconds=(60,), again=again)


def kinds_of(error: type[EhrError]) -> set[str]:
    return {error.__name__, *(name for one in error.__subclasses__() for name in kinds_of(one))}


def test_every_failure_of_an_ehr_has_words() -> None:
    own = {name for name in kinds_of(EhrError) if not name.startswith("_")} - {"EhrError"}
    assert own <= FAILURES.keys()
    assert len({one.kind for one in FAILURES.values()}) == len(FAILURES)


@pytest.mark.parametrize(("error", "kind"), [(NotPermitted, "not permitted"), (Refused, "answer not usable")])
def test_a_job_says_by_what_its_ehr_failed(door: Door, error: type[EhrError], kind: str) -> None:
    job_id = fetching(door)
    fail(door, error, again=False)
    failed = task(door, job_id)
    assert failed["statusReason"]["text"].endswith(f"EHR main, {kind}")
    told = failed["contained"][0]["issue"][0]["details"]["text"]
    assert told.startswith(f"The job failed after 1 attempt: the EHR main {FAILURES[error.__name__].fetching}. ")
    assert f"POST Task/{job_id}/$retry" in told
    status = door.client.get(f"/async-status/{job_id}").json()
    assert status["entry"][0]["response"]["outcome"]["issue"][0]["details"]["text"] == told
    assert "ehr.example" not in json.dumps([failed["contained"], failed["statusReason"], status])


def test_a_job_that_will_ask_its_ehr_again_says_why(door: Door) -> None:
    job_id = fetching(door)
    fail(door, Unavailable, again=True)
    words = "waiting to try again: EHR main, not reachable"
    assert task(door, job_id)["businessStatus"]["text"] == words
    assert door.client.get(f"/async-status/{job_id}").headers["X-Progress"] == words


def test_a_job_that_is_begun_again_says_nothing_of_it(door: Door) -> None:
    job_id = fetching(door)
    fail(door, NotPermitted, again=False)
    assert door.client.post(f"/Task/{job_id}/$retry", headers=FHIR_JSON).status_code == 202
    assert task(door, job_id)["businessStatus"]["text"] == "waiting to ask the EHR"


def wanted(door: Door, report: str, *, version: int, patient_id: str) -> WriteBack:
    """A version that is wanted on the EHR, taken by a worker."""
    with door.database.write() as connection:
        write_backs.want(
            connection, report, version=version, patient_id=patient_id, servers=EHR.write_back_bases(), now=now()
        )
    claimed = write_backs.claim(door.database, worker="tests", now=now(), lease_seconds=60)
    assert claimed is not None
    return claimed


def test_a_task_and_the_metrics_say_what_became_of_the_write_back(door: Door) -> None:
    made = correlated(door)
    report = made["focus"]["reference"].split("/")[1]
    patient_id = made["for"]["reference"].removeprefix("Patient/")

    def said() -> tuple[str, str]:
        outputs = {one["type"]["text"]: one for one in task(door, made["id"])["output"]}
        state = next(line for line in metrics(door).splitlines() if line.startswith("fillertrace_write_backs{"))
        return outputs["write-back to main"]["valueString"], state

    first = wanted(door, report, version=1, patient_id=patient_id)
    assert said() == ("waiting", 'fillertrace_write_backs{server="main",state="open"} 1.0')
    write_backs.put_off(door.database, first, error_type="Unavailable", now=now(), retry_delays_seconds=(0,))
    assert said() == (
        "waiting: not reachable",
        'fillertrace_write_backs{server="main",state="open-after-failure"} 1.0',
    )
    again = write_backs.claim(door.database, worker="tests", now=now(), lease_seconds=60)
    assert again is not None
    write_backs.settle(door.database, again, outcome=write_backs.REFUSED, error_type="NotPermitted", now=now())
    assert said() == (
        "refused: not permitted",
        'fillertrace_write_backs{server="main",state="refused"} 1.0',
    )
    before = task(door, made["id"])["lastModified"]
    newer = wanted(door, report, version=2, patient_id=patient_id)
    write_backs.settle(door.database, newer, outcome="created", now=now())
    assert said() == ("version 2: created", 'fillertrace_write_backs{server="main",state="created"} 1.0')
    assert task(door, made["id"])["lastModified"] > before


def test_an_ehr_that_never_answered_is_silent_for_ever(door: Door) -> None:
    name = 'fillertrace_listening_seconds_since_asked{server="main"}'
    assert f"{name} +Inf" in metrics(door)
    turn = listening.take_turn(door.database, ("main",), worker="tests", now=now(), lease_seconds=60)
    assert turn is not None
    listening.end_turn(
        door.database, turn, heard_until=None, seen=(), subscribed=False, again_after_seconds=60, now=now()
    )
    (line,) = (line for line in metrics(door).splitlines() if line.startswith(name))
    assert 0 <= float(line.removeprefix(name)) < 30
