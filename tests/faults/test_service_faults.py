"""The whole service, whose EHR is behind a bad network, and whose workers are killed: one report, here and there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from ehr.client import FhirClient
from ehr.transport import Transport
from store.write_backs import OPEN, OPEN_AFTER_FAILURE
from tests.faults.figures import add_row
from tests.faults.installation import REPORT_CODE, Installation
from tests.faults.test_write_back_faults import LOSES_THE_ANSWER, SHARE, TEMPORARY, assert_one_whole_report
from tests.hapi.pulled import client_of, load_patient, reports_there
from tests.servers.fault_proxy import Choice, Fault, FaultProxy, by_chance
from tests.servers.hapi import HapiServer
from tests.servers.loopback import Received

NAME = "hapi"
AT_ONCE = 10
EXPLAINED = "explained"
DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a number of runs has shown. `lowered` are reports that lack what could not be fetched, to the last."""

    requests: int
    faults: frozenset[Fault]
    faulty: int
    lost_answers: int
    kills: int
    seconds: float
    lowered: int
    lost: int
    too_many: int


class Runs:
    """People in a HAPI server, and a service that reaches it through the proxy."""

    def __init__(self, installation: Installation, direct: FhirClient, *, seed: int) -> None:
        self.lost = self.too_many = self.lowered = self.kills = 0
        self._service = installation
        self._direct = direct
        self._chance = random.Random(seed)

    def go(self, number: int) -> None:
        """So many new people, from their record in HAPI to the second version of their report; a worker is killed."""
        kill_early = self._chance.random() < 0.5
        first = dict.fromkeys(load_patient(self._direct) for _ in range(number))
        if kill_early:
            self._kill()
        for patient in first:
            self._waited_for(lambda patient=patient: reports_there(self._direct, patient))
            first[patient] = [one["id"] for one in reports_there(self._direct, patient)]
        for patient in first:
            self._direct.transaction(high_calcium(patient))
        if not kill_early:
            self._kill()
        for patient in first:
            self._waited_for(lambda patient=patient: any(map(alerts, reports_there(self._direct, patient))))
        self._waited_for(self._is_quiet)
        for patient, before in first.items():
            self._compare(patient, before=before)

    def _kill(self) -> None:
        """Kill the worker at a seeded moment while there is work, and start another one."""
        self._waited_for(lambda: not self._is_quiet())
        time.sleep(self._chance.uniform(0, 3))
        self._service.worker.kill9()
        self._service.start_worker()
        self.kills += 1

    def _is_quiet(self) -> bool:
        open_jobs = [self._service.metric("fillertrace_jobs", status=one) for one in ("received", "in-progress")]
        states = (OPEN, OPEN_AFTER_FAILURE)
        return not sum(open_jobs) + sum(self._service.metric("fillertrace_write_backs", state=one) for one in states)

    def _waited_for(self, found: Callable[[], Any]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not found() and time.monotonic() < deadline:
            time.sleep(0.25)

    def _compare(self, patient: str, *, before: list[str]) -> None:
        """The report of a patient here and there: one, the same as before, and each of them as it was written."""
        there = reports_there(self._direct, patient)
        self.lost += not any(map(alerts, there))
        self.too_many += max(len(there) - 1, 0)
        if not there:
            return
        assert_one_whole_report(self._direct, patient)
        assert [one["id"] for one in there] == before
        here = self._read(f"DiagnosticReport/{there[0]['id']}")
        query = {"patient": here["subject"]["reference"].removeprefix("Patient/"), "code": REPORT_CODE}
        living = [entry["resource"] for entry in self._read("DiagnosticReport", **query)["entry"]]
        assert [(one["id"], one["issued"]) for one in living] == [(one["id"], one["issued"]) for one in there]
        assert [one["reference"] for one in here["result"]] == [one["reference"] for one in there[0]["result"]]
        attribution = here["result"][0]["reference"]
        words = attribution_of(self._read(attribution))
        assert words == attribution_of(self._direct.read(*attribution.split("/")))
        self.lowered += words != EXPLAINED

    def _read(self, path: str, **query: str) -> Any:
        return httpx.get(f"{self._service.base_url}/{path}", params=query, timeout=30).raise_for_status().json()


def alerts(report: dict[str, Any]) -> bool:
    """Whether a report knows of the calcium."""
    return "high calcium" in report["conclusion"]


def attribution_of(observation: dict[str, Any]) -> str:
    """What the first result of a report says."""
    return str(observation["valueCodeableConcept"]["coding"][0]["code"])


def high_calcium(patient: str) -> dict[str, Any]:
    """A new result that changes the answer, as a transaction."""
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}], "text": "Calcium"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": date.today().isoformat(),
        "valueQuantity": {
            "value": 3.2,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
    }
    entry = {"resource": observation, "request": {"method": "POST", "url": "Observation"}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


@contextmanager
def listening_service(folder: Path, database_url: str, ehr: str) -> Iterator[Installation]:
    """A service that listens to an EHR, fetches from it and writes back to it; from now on all is news."""
    settings = {
        "FILLERTRACE_EHR_SERVERS": f"{NAME}={ehr}",
        "FILLERTRACE_EHR_ALLOW": "127.0.0.1",
        "FILLERTRACE_EHR_WRITE_BACK": NAME,
        "FILLERTRACE_EHR_SUBSCRIBE": NAME,
        "FILLERTRACE_EHR_POLL_SECONDS": "2",
        "FILLERTRACE_EHR_THREADS": "12",
        "FILLERTRACE_STORE_LEASE_SECONDS": "5",
        "FILLERTRACE_STORE_RETRY_DELAYS_SECONDS": "0.5,1,2",
    }
    running = Installation(folder, database_url, settings)
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while running.metric("fillertrace_listening_seconds_since_asked") > DEADLINE_SECONDS:
            assert time.monotonic() < deadline, "the EHR was never asked"
            time.sleep(0.1)
        yield running
    finally:
        running.stop()


def unlucky(seed: int) -> Choice:
    """Faults by chance; besides, the answer to every fifth transaction is lost for certain."""
    chance, transactions = by_chance(seed, share=SHARE, among=TEMPORARY), count()

    def choose(request: Received) -> Fault:
        lost = request.method == "POST" and next(transactions) % 5 == 0
        return Fault.DROP_AFTER if lost else chance(request)

    return choose


def run_service_through_faults(
    hapi_server: HapiServer, folder: Path, database_url: str, *, runs: int, seed: int
) -> Shown:
    """So many people, through one service whose every request to its EHR may meet a fault."""
    begun = time.monotonic()
    with (
        FaultProxy(hapi_server.base_url, unlucky(seed)) as proxy,
        listening_service(folder, database_url, proxy.base_url) as installation,
        Transport(private_hosts=frozenset({"127.0.0.1"})) as transport,
    ):
        people = Runs(installation, client_of(transport, hapi_server.base_url), seed=seed)
        for done in range(0, runs, AT_ONCE):
            people.go(min(AT_ONCE, runs - done))
        counts = proxy.counts
    return Shown(
        requests=sum(counts.values()),
        faults=frozenset(fault for _method, fault in counts),
        faulty=sum(number for (_method, fault), number in counts.items() if fault is not Fault.NONE),
        lost_answers=sum(counts["POST", fault] for fault in LOSES_THE_ANSWER),
        kills=people.kills,
        seconds=time.monotonic() - begun,
        lowered=people.lowered,
        lost=people.lost,
        too_many=people.too_many,
    )


@pytest.mark.timeout(600)
def test_a_service_behind_a_bad_network_leaves_one_report(
    hapi_server: HapiServer, tmp_path: Path, database_url: str
) -> None:
    shown = run_service_through_faults(hapi_server, tmp_path, database_url, runs=10, seed=20261129)
    assert (shown.lost, shown.too_many) == (0, 0)
    assert set(TEMPORARY) <= shown.faults
    assert shown.lost_answers > 0
    assert shown.kills > 0


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_many_services_behind_bad_networks(hapi_server: HapiServer, tmp_path: Path, database_url: str) -> None:
    """The long form; its figures go to docs/faults.md."""
    shown = run_service_through_faults(hapi_server, tmp_path, database_url, runs=250, seed=1)
    add_row(
        "The whole service behind a bad network",
        date.today(),
        database_url.partition("://")[0].partition("+")[0],
        250,
        shown.requests,
        shown.faulty,
        shown.lost_answers,
        shown.kills,
        round(shown.seconds),
        shown.lowered,
        shown.lost,
        shown.too_many,
    )
    assert (shown.lost, shown.too_many) == (0, 0)
