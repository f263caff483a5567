"""Fetch and write back through a network that fails at the worst time: exactly one report comes out."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import date

import pytest

from ehr.client import FhirClient
from ehr.errors import Unavailable
from ehr.transport import Transport
from ehr.write_back import Written, write_back
from ehr.written_content import stands_as_written
from tests.faults.figures import add_row
from tests.hapi.pulled import client_of, correlated, fetched, load_patient, reports_there
from tests.servers.fault_proxy import Fault, FaultProxy, by_chance
from tests.servers.hapi import HapiServer

SHARE = 0.3
ERRANDS = 20
OWN_OUTPUT = "https://fillertrace.example/fhir/CodeSystem/report|own-output"
TEMPORARY = (
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.DELAY,
    Fault.TWICE,
    Fault.CONFLICT,
    Fault.TOO_MANY,
    Fault.UNAVAILABLE,
    Fault.TRUNCATE,
    Fault.HALF_JSON,
)
LOSES_THE_ANSWER = {Fault.DROP_AFTER, Fault.TRUNCATE, Fault.HALF_JSON}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a number of runs has shown."""

    faults: Counter[Fault]
    lost_answers: int
    begun_again: int
    seconds: float


def run_through_faults(hapi_server: HapiServer, *, runs: int, seed: int) -> Shown:
    """So many people, each fetched and written back through the proxy, and counted on the server itself."""
    counts: Counter[tuple[str, Fault]] = Counter()
    begun_again = 0
    begun = time.monotonic()
    with Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        direct = client_of(transport, hapi_server.base_url)
        for number in range(runs):
            patient = load_patient(direct)
            choice = by_chance(seed + number, share=SHARE, among=TEMPORARY)
            with FaultProxy(hapi_server.base_url, choice) as proxy:
                begun_again += errands(client_of(transport, proxy.base_url), patient)
            counts += proxy.counts
            assert_one_whole_report(direct, patient)
    faults: Counter[Fault] = Counter()
    for (_method, fault), count in counts.items():
        faults[fault] += count
    return Shown(
        faults=faults,
        lost_answers=sum(counts["POST", fault] for fault in LOSES_THE_ANSWER),
        begun_again=begun_again,
        seconds=time.monotonic() - begun,
    )


def errands(client: FhirClient, patient: str) -> int:
    """Fetch and write back until it is done, as a worker does; how often it had to begin again."""
    for begun_again in range(ERRANDS):
        try:
            history = fetched(client, patient)
            written = write_back(client, correlated(history), references=history.references())
        except Unavailable:
            continue
        assert written in (Written.CREATED, Written.UPDATED, Written.UNCHANGED)
        return begun_again
    raise AssertionError(f"not done after {ERRANDS} errands")


def assert_one_whole_report(direct: FhirClient, patient: str) -> None:
    reports = reports_there(direct, patient)
    assert len(reports) == 1
    assert stands_as_written(reports[0])
    results = [direct.read(*item["reference"].split("/")) for item in reports[0]["result"]]
    assert all(stands_as_written(one) and one["status"] == "preliminary" for one in results)
    every = direct.search("Observation", {"patient": patient, "_tag": OWN_OUTPUT})
    living = {one["id"] for one in every if one["status"] != "entered-in-error"}
    assert living == {one["id"] for one in results}


@pytest.mark.timeout(600)
def test_a_bad_network_leaves_one_report(hapi_server: HapiServer) -> None:
    shown = run_through_faults(hapi_server, runs=20, seed=20261128)
    assert set(TEMPORARY) <= set(shown.faults)
    assert shown.lost_answers > 0, "no answer to a transaction was lost: this run has shown nothing"


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_many_bad_networks(hapi_server: HapiServer) -> None:
    """The long form; its figures go to docs/faults.md."""
    shown = run_through_faults(hapi_server, runs=500, seed=1)
    requests = sum(shown.faults.values())
    add_row(
        "Fetching and writing back through a bad network",
        date.today(),
        500,
        requests,
        requests - shown.faults[Fault.NONE],
        shown.lost_answers,
        shown.begun_again,
        round(shown.seconds),
        0,
        0,
    )
