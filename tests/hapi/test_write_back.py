"""What becomes of a report on a real HAPI server: written once, kept up to date, and never over a person's work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import httpx
import pytest

from ehr.client import FhirClient
from ehr.errors import NotThere, Refused
from ehr.transport import Transport
from ehr.write_back import OURS, Written, write_back
from ehr.written_content import stands_as_written
from fhir_mappings.own_output import is_own_output
from fhir_mappings.resource_json import dumps, loads
from tests.examples import CASE_IDS
from tests.hapi.pulled import client_of, correlated, fetched, load_patient, reports_there
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.hapi import HapiServer
from tests.servers.loopback import Received

LATER = date(2026, 12, 1)
FHIR_JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def transport() -> Iterator[Transport]:
    with Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        yield transport


@pytest.fixture
def client(transport: Transport, hapi_server: HapiServer) -> FhirClient:
    return client_of(transport, hapi_server.base_url)


class OneReport:
    """A report that was written for a new patient."""

    def __init__(self, client: FhirClient) -> None:
        self.client = client
        self.patient = load_patient(client)
        self.history = fetched(client, self.patient)
        self.result = correlated(self.history)
        self.report_id: str = self.result["entry"][0]["resource"]["id"]

    def write(self, result: dict[str, Any] | None = None, *, through: FhirClient | None = None) -> Written:
        references = self.history.references()
        return write_back(through or self.client, result or self.result, references=references)

    def there(self) -> dict[str, Any]:
        return self.client.read("DiagnosticReport", self.report_id)

    def later(self, **how: Any) -> dict[str, Any]:
        return correlated(self.history, as_of=LATER, **how)

    def edit(self, resource: dict[str, Any], **change: Any) -> None:
        """Change a resource as a person does it in the EHR."""
        address = f"{self.client.base_url}/{resource['resourceType']}/{resource['id']}"
        answer = httpx.put(address, content=dumps({**resource, **change}), headers=FHIR_JSON)
        assert answer.status_code == 200, answer.text

    def observations(self) -> list[dict[str, Any]]:
        ids = [item["reference"].partition("/")[2] for item in self.there()["result"]]
        return [self.client.read("Observation", id_) for id_ in ids]


@pytest.fixture
def report(client: FhirClient) -> OneReport:
    written = OneReport(client)
    assert written.write() is Written.CREATED
    return written


def test_what_was_written_stands_as_written_and_is_known_as_ours(client: FhirClient) -> None:
    """For every public case, in both languages: HAPI's order, its meta and its narratives do not count."""
    seen: set[str] = set()
    for number, case_id in enumerate(CASE_IDS):
        patient = load_patient(client, case_id=case_id)
        history = fetched(client, patient)
        result = correlated(history, language=("en", "es")[number % 2])
        if result["entry"][0]["resource"]["resourceType"] != "DiagnosticReport":
            continue
        assert write_back(client, result, references=history.references()) is Written.CREATED
        ours = [entry["resource"] for entry in result["entry"] if entry["resource"]["resourceType"] in OURS]
        for resource in ours:
            there = client.read(resource["resourceType"], resource["id"])
            assert stands_as_written(there), (case_id, resource["resourceType"])
            assert is_own_output(there)
        seen |= {resource["resourceType"] for resource in ours}
        assert write_back(client, result, references=history.references()) is Written.UNCHANGED
    assert seen == OURS


def test_what_comes_back_is_no_part_of_the_record(report: OneReport) -> None:
    again = fetched(report.client, report.patient)
    assert {entry["fullUrl"] for entry in again.bundle["entry"]} == {
        entry["fullUrl"] for entry in report.history.bundle["entry"]
    }
    assert f"DiagnosticReport/{report.report_id}" in {f"{one['resourceType']}/{one['id']}" for one in again.own_output}
    assert correlated(again) == report.result


def test_a_new_answer_is_a_new_version_of_the_same_report(report: OneReport) -> None:
    assert report.write(report.later(version=2)) is Written.UPDATED
    assert report.there()["meta"]["versionId"] == "2"
    assert len(reports_there(report.client, report.patient)) == 1
    about = f"DiagnosticReport/{report.report_id}"
    assert len(list(report.client.search("Provenance", {"target": about}))) == 2


def test_an_older_version_that_comes_late_does_not_undo_a_newer_one(report: OneReport) -> None:
    assert report.write(report.later()) is Written.UPDATED
    assert report.write() is Written.NEWER_THERE
    assert report.there()["issued"].startswith("2026-12-01")


@pytest.mark.parametrize("change", [{"status": "final"}, {"conclusion": "Read again: a filler."}])
def test_a_report_that_a_person_signed_or_changed_is_left_alone(report: OneReport, change: dict[str, str]) -> None:
    report.edit(report.there(), **change)
    edited = report.there()
    assert report.write(report.later()) is Written.EDITED_THERE
    assert report.write() is Written.EDITED_THERE
    assert report.there() == edited


def test_a_report_that_was_signed_with_us_is_followed_by_what_knows_of_the_signature_only(report: OneReport) -> None:
    signed = as_status(report.later(version=2), "final")
    assert report.write(signed) is Written.UPDATED
    assert report.write(report.later(version=3, language="es")) is Written.EDITED_THERE
    assert report.there()["status"] == "final"
    assert report.write(as_status(report.later(version=3, language="es"), "amended")) is Written.UPDATED


def test_a_signature_goes_over_a_later_draft(report: OneReport) -> None:
    assert report.write(report.later(version=2, language="es")) is Written.UPDATED
    assert report.write(as_status(report.result, "final")) is Written.UPDATED
    assert report.there()["status"] == "final"


def as_status(result: dict[str, Any], status: str) -> dict[str, Any]:
    """The result as the service writes it at another stage of its life."""
    for entry in result["entry"]:
        if entry["resource"]["resourceType"] in ("DiagnosticReport", "Observation"):
            entry["resource"]["status"] = status
    return result


def test_a_result_that_a_person_changed_keeps_the_whole_report(report: OneReport) -> None:
    changed = report.observations()[0]
    report.edit(changed, note=[{"text": "Not so."}])
    before = report.there()
    assert report.write(report.later()) is Written.EDITED_THERE
    assert report.there() == before
    assert report.client.read("Observation", changed["id"])["note"] == [{"text": "Not so."}]


def test_a_report_that_was_deleted_stays_deleted(report: OneReport) -> None:
    about = f"DiagnosticReport/{report.report_id}"
    (provenance,) = report.client.search("Provenance", {"target": about})
    deletions = [{"request": {"method": "DELETE", "url": url}} for url in (f"Provenance/{provenance['id']}", about)]
    report.client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": deletions})
    assert report.write(report.later()) is Written.DELETED_THERE
    with pytest.raises(NotThere) as still:
        report.there()
    assert still.value.deleted


def without_one_result(result: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The same answer without its last Observation, and the id of that."""
    shorter: dict[str, Any] = loads(dumps(result))
    dropped = shorter["entry"][0]["resource"]["result"].pop()["reference"]
    shorter["entry"] = [entry for entry in shorter["entry"] if entry.get("fullUrl") != dropped]
    return shorter, dropped.removeprefix("urn:uuid:")


def test_a_result_that_is_none_any_more_is_withdrawn_and_may_come_back(report: OneReport) -> None:
    shorter, dropped = without_one_result(report.later())
    assert report.write(shorter) is Written.UPDATED
    there = report.client.read("Observation", dropped)
    assert there["status"] == "entered-in-error"
    assert stands_as_written(there)
    assert report.write(shorter) is Written.UNCHANGED
    assert report.write(report.later()) is Written.UPDATED
    assert report.client.read("Observation", dropped)["status"] == "preliminary"


def test_a_dropped_result_that_a_person_changed_is_left_alone(report: OneReport) -> None:
    shorter, dropped = without_one_result(report.result)
    assert report.write(shorter) is Written.UPDATED
    report.edit(report.client.read("Observation", dropped), status="amended")
    assert report.write(without_one_result(report.later())[0]) is Written.UPDATED
    assert report.client.read("Observation", dropped)["status"] == "amended"


def test_a_patient_gets_no_second_living_report(report: OneReport) -> None:
    other = report.later(report_id="00000000-0000-4000-8000-000000000001")
    assert report.write(other) is Written.ANOTHER_REPORT_THERE
    assert [one["id"] for one in reports_there(report.client, report.patient)] == [report.report_id]
    report.edit(report.there(), status="entered-in-error")
    assert report.write(other) is Written.CREATED


def test_a_report_never_moves_to_another_patient(report: OneReport) -> None:
    """Two Patients of one server with the same identifier have the same stateless report."""
    twin = report.client.transaction(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}],
        }
    )["entry"][0]["response"]["location"].partition("/_history")[0]
    moved = {
        name: twin if name.startswith("Patient/") else known for name, known in report.history.references().items()
    }
    with pytest.raises(Refused, match="another Patient"):
        write_back(report.client, report.later(), references=moved)
    assert report.there()["subject"]["reference"] == f"Patient/{report.patient}"


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.TRUNCATE, Fault.HALF_JSON, Fault.TWICE, Fault.CONFLICT])
def test_an_answer_that_was_lost_leads_to_one_version(
    report: OneReport, transport: Transport, hapi_server: HapiServer, fault: Fault
) -> None:
    faults = iter([fault])

    def once_when_written(request: Received) -> Fault:
        return next(faults, Fault.NONE) if request.method == "POST" else Fault.NONE

    with FaultProxy(hapi_server.base_url, once_when_written) as proxy:
        through = client_of(transport, proxy.base_url)
        assert report.write(report.later(), through=through) is Written.UPDATED
        assert proxy.counts["POST", fault] == 1
    assert report.there()["meta"]["versionId"] == "2"
    assert report.write(report.later()) is Written.UNCHANGED


def test_a_person_who_signs_between_our_look_and_our_write_is_not_overruled(
    report: OneReport, transport: Transport, hapi_server: HapiServer
) -> None:
    def signing(request: Received) -> Fault:
        if request.method == "POST" and report.there()["status"] == "preliminary":
            report.edit(report.there(), status="final")
        return Fault.NONE

    with FaultProxy(hapi_server.base_url, signing) as proxy:
        assert report.write(report.later(), through=client_of(transport, proxy.base_url)) is Written.EDITED_THERE
    assert report.there()["status"] == "final"
    assert report.there()["meta"]["versionId"] == "2"


@pytest.mark.parametrize("part", ["DiagnosticReport", "Observation"])
def test_a_person_who_signs_what_another_of_us_wrote_between_our_look_and_our_write_is_not_overruled(
    client: FhirClient, transport: Transport, hapi_server: HapiServer, part: str
) -> None:
    new = OneReport(client)
    signed: list[dict[str, Any]] = []

    def written_and_signed(request: Received) -> Fault:
        if request.method == "POST" and not signed:
            assert new.write() is Written.CREATED
            standing = new.there() if part == "DiagnosticReport" else new.observations()[0]
            new.edit(standing, status="final")
            signed.append(client.read(part, standing["id"]))
        return Fault.NONE

    with FaultProxy(hapi_server.base_url, written_and_signed) as proxy:
        assert new.write(through=client_of(transport, proxy.base_url)) is Written.EDITED_THERE
    assert client.read(part, signed[0]["id"]) == signed[0]


def test_what_was_deleted_between_our_look_and_our_write_is_not_brought_back(
    client: FhirClient, transport: Transport, hapi_server: HapiServer
) -> None:
    new = OneReport(client)
    deleted: list[str] = []

    def written_and_deleted(request: Received) -> Fault:
        if request.method == "POST" and not deleted:
            assert new.write() is Written.CREATED
            about = f"DiagnosticReport/{new.report_id}"
            (provenance,) = client.search("Provenance", {"target": about})
            deleted.extend((f"Provenance/{provenance['id']}", about))
            entries = [{"request": {"method": "DELETE", "url": url}} for url in deleted]
            client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        return Fault.NONE

    with FaultProxy(hapi_server.base_url, written_and_deleted) as proxy:
        assert new.write(through=client_of(transport, proxy.base_url)) is Written.DELETED_THERE
    with pytest.raises(NotThere):
        new.there()


def test_many_at_once_write_one_report(client: FhirClient, transport: Transport, hapi_server: HapiServer) -> None:
    new = OneReport(client)

    def write(_number: int) -> Written:
        return new.write(through=client_of(transport, hapi_server.base_url))

    with ThreadPoolExecutor(4) as pool:
        outcomes = set(pool.map(write, range(8)))
    assert outcomes <= {Written.CREATED, Written.UPDATED, Written.UNCHANGED}
    assert len(reports_there(client, new.patient)) == 1
    assert new.write() is Written.UNCHANGED
