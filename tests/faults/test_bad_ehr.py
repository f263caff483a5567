"""An EHR that answers nonsense to the running service: it is said what it was, nothing of it is kept, and it passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ehr.client import FhirClient
from ehr.transport import Transport
from store.write_backs import OPEN, OPEN_AFTER_FAILURE
from tests.examples import case_bytes
from tests.faults.installation import DEADLINE_SECONDS, FHIR_JSON, Installation
from tests.hapi.pulled import client_of, load_record, reports_there
from tests.sandbox import waited_for
from tests.servers.fault_proxy import CANARY, Fault, FaultProxy, for_path
from tests.servers.hapi import HapiServer

NAME = "hapi"
OF_THE_RECORD = "zanzibar"
LARGEST_WORKER_BYTES = 512 * 1024**2  # it reads answers up to 64 MiB, and the proxy sends two GiB
NO_ACCESS, NOT_THERE, NOT_USABLE = "not permitted", "not there", "answer not usable"
OF_THE_PATIENT = {
    Fault.HTML: NOT_USABLE,
    Fault.REDIRECT: NOT_USABLE,
    Fault.ENDLESS: NOT_USABLE,
    Fault.CIRCLE: NOT_USABLE,
    Fault.LINK_ELSEWHERE: NOT_USABLE,
    Fault.GIGABYTES: "answer too large",
    Fault.WRONG_RESOURCE: NOT_USABLE,
    Fault.DEEP: NOT_USABLE,
    Fault.FORBIDDEN: NO_ACCESS,
    Fault.NOT_FOUND: NOT_THERE,
    Fault.TRUNCATE: "not reachable",
}
"""What the Task says where the Patient is answered so."""
OF_THE_CONDITIONS = dict.fromkeys(OF_THE_PATIENT, "could not be fetched") | {
    Fault.FORBIDDEN: "this access does not permit it",
    Fault.NOT_FOUND: None,  # a type that the server does not have: there is nothing of it
}
"""Why the report says that it could not see the conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """A service, and its EHR, whose `faults` by method and path a test sets and takes away."""

    service: Installation
    folder: Path
    direct: FhirClient
    faults: dict[str, Fault]
    ehr: str

    def admit(self) -> tuple[str, str]:
        """A new person in the EHR who is known here by their address there; their ids there and here."""
        remote = load_record(self.direct, marked_record())
        entry = {"fullUrl": f"{self.ehr}/Patient/{remote}", "resource": self.direct.read("Patient", remote)}
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
        known = self.task(self.service.submit(json.dumps(bundle).encode()))
        return remote, known["for"]["reference"]

    def ask(self, patient: str) -> str:
        """Have a patient fetched and correlated; the status URL."""
        url = f"{self.service.base_url}/{patient}/$correlate"
        answer = httpx.post(url, params={"source": NAME}, headers=FHIR_JSON, timeout=30)
        assert answer.status_code == 202, answer.text
        return answer.headers["Content-Location"]

    def task(self, status_url: str) -> dict[str, Any]:
        """The Task of a request, as soon as it has ended."""
        ended = {"completed", "failed"}
        return self._waited_for(status_url, lambda task: task["status"] in ended)

    def written_back(self, status_url: str) -> str:
        """What a Task says of the write-back, as soon as there is nothing left to do."""
        task = self._waited_for(status_url, lambda task: not written_back_of(task).startswith("waiting"))
        return written_back_of(task)

    def _waited_for(self, status_url: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        url = f"{self.service.base_url}/Task/{status_url.rpartition('/')[2]}"

        def found() -> dict[str, Any] | None:
            task: dict[str, Any] = httpx.get(url, timeout=30).raise_for_status().json()
            return task if is_so(task) else None

        task: dict[str, Any] | None = waited_for(found, seconds=DEADLINE_SECONDS)
        assert task is not None, f"not within {DEADLINE_SECONDS:.0f} s"
        return task

    def open_write_backs(self) -> float:
        """How many reports are still to be written to the EHR."""
        return sum(self.service.metric("fillertrace_write_backs", state=one) for one in (OPEN, OPEN_AFTER_FAILURE))

    def said_elsewhere(self) -> str:
        """All that the service says to nobody in particular: its logs and its metrics."""
        logs = [file.read_text() for file in self.folder.glob("*.log")]
        metrics = httpx.get(f"{self.service.base_url.removesuffix('/fhir')}/metrics", timeout=30).text
        assert all(logs)
        return "\n".join([*logs, metrics])

    def largest_worker_bytes(self) -> int:
        """The most memory that the worker ever had."""
        status = Path(f"/proc/{self.service.worker.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


def written_back_of(task: dict[str, Any]) -> str:
    return next(one["valueString"] for one in task["output"] if one["type"]["text"] == f"write-back to {NAME}")


def marked_record() -> bytes:
    """The published case, with a word of its own in the Patient's name and in every condition."""
    record = json.loads(case_bytes("V01"))
    for resource in (entry["resource"] for entry in record["entry"]):
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": OF_THE_RECORD}]
        if resource["resourceType"] == "Condition":
            resource["note"] = [{"text": OF_THE_RECORD}]
    return json.dumps(record).encode()


def answer_of(result: dict[str, Any]) -> tuple[str, list[str]]:
    """The attribution of a result Bundle, and what it says of data that could not be seen."""
    resources = [entry["resource"] for entry in result["entry"]]
    attribution = next(one for one in resources if one["resourceType"] == "Observation")
    issues = [issue for one in resources if one["resourceType"] == "OperationOutcome" for issue in one["issue"]]
    withheld = [issue["details"]["text"] for issue in issues if issue["details"]["coding"][0]["code"] == "withheld"]
    return attribution["valueCodeableConcept"]["coding"][0]["code"], withheld


@pytest.fixture(scope="module")
def clinic(hapi_server: HapiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    faults: dict[str, Fault] = {}
    with (
        FaultProxy(hapi_server.base_url, for_path(faults)) as proxy,
        Transport(private_hosts=frozenset({"127.0.0.1"})) as transport,
    ):
        settings = {
            "FILLERTRACE_EHR_SERVERS": f"{NAME}={proxy.base_url}",
            "FILLERTRACE_EHR_ALLOW": "127.0.0.1",
            "FILLERTRACE_EHR_WRITE_BACK": NAME,
            "FILLERTRACE_EHR_ATTEMPTS": "2",
            "FILLERTRACE_EHR_MAX_PAGES": "20",
            "FILLERTRACE_STORE_MAX_ATTEMPTS": "2",
            "FILLERTRACE_STORE_RETRY_DELAYS_SECONDS": "0.2",
        }
        service = Installation(folder, f"sqlite:///{folder / 'record.db'}", settings)
        direct = client_of(transport, hapi_server.base_url)
        yield Clinic(service=service, folder=folder, direct=direct, faults=faults, ehr=proxy.base_url)
        service.stop()


@pytest.fixture(autouse=True)
def nothing_is_left_for_the_next_test(clinic: Clinic) -> Iterator[None]:
    yield
    clinic.faults.clear()
    waited_for(lambda: clinic.open_write_backs() == 0 or None, seconds=DEADLINE_SECONDS)


@pytest.mark.parametrize("fault", OF_THE_PATIENT)
def test_a_patient_who_is_answered_so_is_a_failure_that_says_why_and_passes(clinic: Clinic, fault: Fault) -> None:
    remote, patient = clinic.admit()
    clinic.faults[f"/Patient/{remote}"] = fault
    status_url = clinic.ask(patient)
    failed = clinic.task(status_url)
    polled = httpx.get(status_url, timeout=30).json()
    assert failed["status"] == "failed"
    assert failed["statusReason"]["text"].endswith(f": EHR {NAME}, {OF_THE_PATIENT[fault]}")
    (issue,) = failed["contained"][0]["issue"]
    assert polled["entry"][0]["response"]["outcome"]["issue"] == [issue]
    assert f"the EHR {NAME} " in issue["details"]["text"]
    told = json.dumps([failed, polled]) + clinic.said_elsewhere()
    assert CANARY not in told
    assert OF_THE_RECORD not in told
    assert "127.0.0.1" not in json.dumps([failed, polled["entry"][0]["response"]["outcome"]])
    assert clinic.largest_worker_bytes() < LARGEST_WORKER_BYTES

    clinic.faults.clear()
    again = httpx.post(f"{clinic.service.base_url}/Task/{failed['id']}/$retry", headers=FHIR_JSON, timeout=30)
    assert again.status_code == 202, again.text
    assert answer_of(clinic.service.result(status_url)) == ("explained", [])


@pytest.mark.parametrize("fault", OF_THE_CONDITIONS)
def test_conditions_that_are_answered_so_are_named_in_the_report(clinic: Clinic, fault: Fault) -> None:
    remote, patient = clinic.admit()
    clinic.faults[f"/Condition?patient={remote}&"] = fault
    result = clinic.service.result(clinic.ask(patient))
    attribution, withheld = answer_of(result)
    if because := OF_THE_CONDITIONS[fault]:
        assert attribution == "indeterminate"
        (text,) = withheld
        assert text.startswith(f"Not seen: conditions ({because}).")
        assert "conditions" in result["entry"][0]["resource"]["conclusion"]
    else:
        assert (attribution, withheld) == ("explained", [])
    told = json.dumps(result) + clinic.said_elsewhere()
    assert CANARY not in told
    assert OF_THE_RECORD not in json.dumps([one for one in result["entry"] if "Patient/" not in one["fullUrl"]])
    assert OF_THE_RECORD not in clinic.said_elsewhere()
    assert clinic.largest_worker_bytes() < LARGEST_WORKER_BYTES

    clinic.faults.clear()
    assert answer_of(clinic.service.result(clinic.ask(patient))) == ("explained", [])


@pytest.mark.parametrize(
    ("asked", "fault", "says"),
    [
        ("POST ", Fault.FORBIDDEN, "refused: not permitted"),
        ("POST ", Fault.UNPROCESSABLE, "refused: the worker's log says why"),
        ("/metadata", Fault.SERVER_IDS, "refused: the worker's log says why"),
    ],
)
def test_a_write_back_that_is_refused_is_seen_and_can_be_tried_again(
    clinic: Clinic, asked: str, fault: Fault, says: str
) -> None:
    def refused() -> float:
        return clinic.service.metric("fillertrace_write_backs", server=NAME, state="refused")

    remote, patient = clinic.admit()
    before = refused()
    clinic.faults[asked] = fault
    status_url = clinic.ask(patient)
    assert answer_of(clinic.service.result(status_url)) == ("explained", [])
    assert clinic.written_back(status_url) == says
    assert refused() == before + 1
    assert reports_there(clinic.direct, remote) == []
    assert CANARY not in clinic.said_elsewhere()

    clinic.faults.clear()
    again = clinic.ask(patient)
    assert clinic.task(again)["businessStatus"]["text"] == "the report stands as it was"
    assert clinic.written_back(again) == "created"
    assert refused() == before
    assert len(reports_there(clinic.direct, remote)) == 1


def test_a_write_back_that_fails_for_the_moment_waits_and_comes(clinic: Clinic) -> None:
    remote, patient = clinic.admit()
    clinic.faults["POST "] = Fault.UNAVAILABLE
    status_url = clinic.ask(patient)
    clinic.service.result(status_url)
    waited_for(lambda: clinic.service.metric("fillertrace_write_backs", state=OPEN_AFTER_FAILURE) or None, seconds=60)
    assert written_back_of(clinic.task(status_url)) == "waiting: not reachable"
    clinic.faults.clear()
    assert clinic.written_back(status_url) == "created"
    assert len(reports_there(clinic.direct, remote)) == 1
