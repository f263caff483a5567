"""Kill anything at any moment: exactly one report comes out, here and on the server it is written back to."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ehr.client import FhirClient
from ehr.transport import Transport
from ehr.write_back import write_back
from store import jobs
from store.database import open_database
from tests.faults.figures import add_row
from tests.faults.records import published_case_of
from tests.servers import processes
from tests.servers.hapi import HapiServer
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer
from tests.servers.service import Service

FHIR_JSON = {"Content-Type": "application/fhir+json", "Prefer": "respond-async"}
REPORT_SYSTEM = "https://fillertrace.example/fhir/report"
REPORT_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
DEADLINE_SECONDS = 60.0


class Installation:
    """An API, a worker, a Redis and a database, each of which can be ended without a word."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.engine = database_url.partition("://")[0].partition("+")[0]
        self.redis = RedisServer()
        self.redis.start()
        self._folder = folder
        self._settings = {
            "FILLERTRACE_REDIS_URL": self.redis.url,
            "FILLERTRACE_DATABASE_URL": database_url,
            "FILLERTRACE_API_PORT": str(processes.free_port()),
            "FILLERTRACE_STORE_LEASE_SECONDS": "2",
            "FILLERTRACE_STORE_RECHECK_SECONDS": "1",
            "FILLERTRACE_API_POLLS_PER_SECOND": "100000",  # wait_for_claim looks as often as it can
        }
        self.api = Service("api", folder=folder, settings=self._settings).start()
        self.base_url = self.api.base_url
        self.worker = self.start_worker()

    def start_worker(self) -> Service:
        self.worker = Service("worker", folder=self._folder, settings=self._settings).start()
        return self.worker

    def stop(self) -> None:
        for service in (self.worker, self.api):
            if service.process.poll() is None:
                service.kill9()
        self.redis.close()

    def submit(self, record: bytes) -> str:
        """Post a record to be correlated later; the status URL. A 202 means it is on disk."""
        answer = httpx.post(f"{self.base_url}/$correlate", content=record, headers=FHIR_JSON, timeout=30)
        assert answer.status_code == 202, answer.text
        return answer.headers["Content-Location"]

    def result(self, status_url: str) -> dict[str, Any]:
        """Wait for the result Bundle of a submission."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            answer = httpx.get(status_url, timeout=30)
            if answer.status_code == 200:
                entry = answer.json()["entry"][0]
                assert entry["response"]["status"].startswith("200"), entry
                bundle: dict[str, Any] = entry["resource"]
                return bundle
            assert answer.status_code == 202, answer.text
            time.sleep(0.1)
        raise AssertionError(f"no result within {DEADLINE_SECONDS:.0f} s")

    def attempts(self, status_url: str) -> int:
        """How often a worker took the job of a submission."""
        database = open_database(self._settings["FILLERTRACE_DATABASE_URL"], pool_size=1, busy_timeout_seconds=30)
        try:
            return jobs.get(database, status_url.rpartition("/")[2]).attempts
        finally:
            database.close()

    def reports_of(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        subject = result["entry"][0]["resource"]["subject"]["reference"]
        query = {"patient": subject.removeprefix("Patient/"), "code": REPORT_CODE}
        found = httpx.get(f"{self.base_url}/DiagnosticReport", params=query, timeout=30).json()
        return [entry["resource"] for entry in found.get("entry", [])]


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql_server: PostgresqlServer
) -> Iterator[Installation]:
    if request.param == "sqlite":
        database_url = f"sqlite:///{tmp_path / 'record.db'}"
    else:
        database_url = postgresql_server.create_database(f"faults_{uuid4().hex}")
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
