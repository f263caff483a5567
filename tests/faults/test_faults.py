"""Kill anything at any moment: exactly one report comes out, here and on the server it is written back to."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from ehr.client import FhirClient
from ehr.transport import Transport
from ehr.write_back import write_back
from tests.faults.figures import add_row
from tests.faults.installation import DEADLINE_SECONDS, Installation
from tests.faults.records import published_case_of
from tests.servers.hapi import HapiServer

REPORT_SYSTEM = "https://fillertrace.example/fhir/report"


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    running = Installation(tmp_path, database_url)
    yield running
    running.stop()


def assert_one_report(installation: Installation, result: dict[str, Any]) -> None:
    reports = installation.reports_of(result)
    assert len(reports) == 1
    assert reports[0]["meta"]["versionId"] == "1"
    assert reports[0]["id"] == result["entry"][0]["resource"]["id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """What a run of kills has shown: how many there were, and how many fell between claim and finish."""

    kills: int
    at_work: int
    seconds: float


def kill_workers(installation: Installation, hapi_server: HapiServer, *, kills: int, seed: int) -> Kills:
    """Submit a record, kill the worker at a seeded moment, start another, and count the reports; so many times."""
    chance = random.Random(seed)
    at_work, begun = 0, time.monotonic()
    for number in range(kills):
        status_url = installation.submit(published_case_of(number))
        if number % 2:
            wait_for_claim(status_url)  # between claim and finish, as near as a watcher can get
        else:
            time.sleep(chance.uniform(0, 0.06))
        installation.worker.kill9()
        installation.start_worker()
        result = installation.result(status_url)
        assert_one_report(installation, result)
        assert_one_report_on(hapi_server, result)
        at_work += installation.attempts(status_url) > 1
    assert at_work > 0, "no kill fell between claim and finish: this run has shown nothing"
    return Kills(kills=kills, at_work=at_work, seconds=time.monotonic() - begun)


@pytest.mark.requirement("ASY-09")
@pytest.mark.timeout(600)
def test_a_worker_killed_at_any_moment_leaves_one_report(installation: Installation, hapi_server: HapiServer) -> None:
    kill_workers(installation, hapi_server, kills=20, seed=20261123)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_kills(installation: Installation, hapi_server: HapiServer) -> None:
    """The long form; its figures go to docs/faults.md."""
    shown = kill_workers(installation, hapi_server, kills=60, seed=1)
    seconds = round(shown.seconds)
    add_row("Killed workers", date.today(), installation.engine, shown.kills, shown.at_work, seconds, 0, 0)


def wait_for_claim(status_url: str) -> None:
    """Wait until a worker has the job, or has already finished it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    with httpx.Client() as client:
        while time.monotonic() < deadline:
            answer = client.get(status_url)
            if answer.status_code != 202 or "waiting" not in answer.headers.get("X-Progress", ""):
                return


def assert_one_report_on(hapi_server: HapiServer, result: dict[str, Any]) -> None:
    """Write the report back twice, as a client does that lost the first answer, and count."""
    report = result["entry"][0]["resource"]
    with Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        server = FhirClient(transport, hapi_server.base_url)
        created = server.transaction(
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}],
            }
        )
        patient = created["entry"][0]["response"]["location"].partition("/_history")[0]
        for _ in range(2):
            write_back(server, result, references={report["subject"]["reference"]: patient})
        identifier = f"{REPORT_SYSTEM}|{report['identifier'][0]['value']}"
        assert len(list(server.search("DiagnosticReport", {"identifier": identifier}))) == 1


@pytest.mark.requirement("ASY-09")
def test_a_wiped_queue_loses_nothing(installation: Installation) -> None:
    installation.worker.kill9()
    status_url = installation.submit(published_case_of("wiped"))
    installation.redis.flush()
    installation.start_worker()
    assert_one_report(installation, installation.result(status_url))


@pytest.mark.requirement("ASY-09")
def test_a_queue_that_is_down_during_the_post_loses_nothing(installation: Installation) -> None:
    installation.redis.stop()
    status_url = installation.submit(published_case_of("down"))
    installation.redis.start()
    assert_one_report(installation, installation.result(status_url))


@pytest.mark.requirement("ASY-09")
def test_a_queue_that_starts_again_loses_nothing(installation: Installation) -> None:
    installation.worker.kill9()
    status_url = installation.submit(published_case_of("restarted"))
    installation.redis.stop()
    installation.redis.start()
    installation.start_worker()
    assert_one_report(installation, installation.result(status_url))


@pytest.mark.requirement("ASY-09")
def test_an_api_killed_after_its_answer_loses_nothing(installation: Installation) -> None:
    installation.worker.kill9()
    status_url = installation.submit(published_case_of("api"))
    installation.api.kill9()
    installation.api.base_url = ""
    installation.api.start()
    installation.start_worker()
    assert_one_report(installation, installation.result(status_url))
