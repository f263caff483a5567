"""`fillertrace pull` against a real HAPI server: fetched, correlated, written back, and pulled again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from ehr.client import FhirClient
from ehr.transport import Transport
from ehr.write_back import write_back
from fhir_mappings.resource_json import dumps
from tests.hapi.pulled import client_of, correlated, fetched, load_patient, reports_there
from tests.servers.fault_proxy import Fault, FaultProxy, for_path
from tests.servers.hapi import HapiServer
from tests.unit.cli.command import fillertrace

FHIR_JSON = {"Content-Type": "application/fhir+json"}
DAY = ("--as-of", "2026-11-01")
QUICK = {"FILLERTRACE_EHR_ATTEMPTS": "1"}


@pytest.fixture(scope="module")
def client(hapi_server: HapiServer) -> Iterator[FhirClient]:
    with Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        yield client_of(transport, hapi_server.base_url)


@pytest.fixture
def patient(client: FhirClient) -> str:
    return load_patient(client)


def pull(base_url: str, patient: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    done = fillertrace("pull", "--from", base_url, "--patient", patient, *arguments, settings=QUICK)
    assert done.returncode == 0, done.stderr
    return done


def test_the_published_case_is_pulled_and_explained(client: FhirClient, patient: str) -> None:
    done = pull(client.base_url, patient, *DAY)
    bundle = json.loads(done.stdout)
    report = bundle["entry"][0]["resource"]
    assert report["subject"]["reference"] == f"Patient/{patient}"
    assert "likely explained by the recorded Radiesse injections" in report["conclusion"]
    said = done.stderr.decode()
    assert "… Observation (14 of 15)\n" in said
    assert f"fetched from {client.host}: Patient 1, Procedure 2, ImagingStudy 2, DiagnosticReport 2" in said
    assert "Radiesse" not in said
    assert reports_there(client, patient) == []
    assert pull(client.base_url, patient, *DAY).stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "worksheet"), "Attribution: EXPLAINED"),
        (("--format", "html", "--language", "es"), '<html lang="es">'),
    ],
)
def test_it_is_printed_in_every_form(client: FhirClient, patient: str, arguments: tuple[str, ...], words: str) -> None:
    assert words in pull(client.base_url, patient, *arguments).stdout.decode()


def test_written_back_twice_there_is_one_report_and_it_stays(client: FhirClient, patient: str) -> None:
    first = pull(client.base_url, patient, "--write-back", *DAY)
    (report,) = reports_there(client, patient)
    assert first.stderr.decode().endswith(f"DiagnosticReport/{report['id']} on {client.host}: created\n")

    again = pull(client.base_url, patient, "--write-back", *DAY)
    assert "left out, made by Fillertrace" in again.stderr.decode()
    assert again.stderr.decode().endswith("stands there already, unchanged\n")
    assert reports_there(client, patient) == [report]

    later = pull(client.base_url, patient, "--write-back", "--as-of", "2026-12-01")
    assert later.stderr.decode().endswith("updated\n")
    (updated,) = reports_there(client, patient)
    assert (updated["id"], updated["meta"]["versionId"]) == (report["id"], "2")


def test_pulled_again_on_another_day_it_stays_as_long_as_it_says_the_same(client: FhirClient, patient: str) -> None:
    pull(client.base_url, patient, "--write-back", *DAY)
    report = reports_there(client, patient)
    again = pull(client.base_url, patient, "--write-back")
    assert again.stderr.decode().endswith("stands there already, unchanged\n")
    assert reports_there(client, patient) == report


def test_the_living_report_of_the_server_is_kept_up_to_date_whoever_made_it(client: FhirClient, patient: str) -> None:
    """The service wrote it, under an id of its own record; a pull goes on with that one."""
    known = "3f0e3a58-54c2-4e5f-9a5e-0d4d5d6c7b8a"
    history = fetched(client, patient)
    write_back(client, correlated(history, report_id=known), references=history.references())
    done = pull(client.base_url, patient, "--write-back", "--as-of", "2026-12-01")
    assert json.loads(done.stdout)["entry"][0]["resource"]["id"] == known
    assert done.stderr.decode().endswith("updated\n")
    assert [one["id"] for one in reports_there(client, patient)] == [known]


def test_a_report_that_was_signed_there_is_left_alone(client: FhirClient, patient: str) -> None:
    pull(client.base_url, patient, "--write-back", *DAY)
    (report,) = reports_there(client, patient)
    address = f"{client.base_url}/DiagnosticReport/{report['id']}"
    httpx.put(address, content=dumps({**report, "status": "final"}), headers=FHIR_JSON).raise_for_status()
    done = pull(client.base_url, patient, "--write-back")
    assert "signed or changed there by a person: nothing was written" in done.stderr.decode()
    assert reports_there(client, patient)[0]["status"] == "final"


@pytest.mark.parametrize(
    ("fault", "said", "because"),
    [
        (Fault.FORBIDDEN, "not permitted: Condition", "conditions (not-permitted)"),
        (Fault.UNAVAILABLE, "could not be fetched: Condition", "conditions (not-fetched)"),
    ],
)
def test_a_type_that_cannot_be_seen_is_named_in_the_report(
    client: FhirClient, patient: str, fault: Fault, said: str, because: str
) -> None:
    whole = pull(client.base_url, patient, *DAY, "--format", "worksheet").stdout.decode()
    with FaultProxy(client.base_url, for_path({"/Condition?": fault})) as proxy:
        done = pull(proxy.base_url, patient, *DAY, "--format", "worksheet")
        page = pull(proxy.base_url, patient, *DAY, "--format", "html")
    assert said in done.stderr.decode()
    assert because in done.stderr.decode()
    named = set(done.stdout.decode().splitlines()) - set(whole.splitlines())
    assert [line for line in named if "conditions" in line]
    assert "conditions" in page.stdout.decode()


def test_a_server_that_refuses_the_write_is_exit_4_with_the_result_printed(client: FhirClient, patient: str) -> None:
    with FaultProxy(client.base_url, lambda one: Fault.FORBIDDEN if one.method == "POST" else Fault.NONE) as proxy:
        done = fillertrace("pull", "--from", proxy.base_url, "--patient", patient, "--write-back", settings=QUICK)
    assert done.returncode == 4
    assert json.loads(done.stdout)["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
    assert b"answered with status 403" in done.stderr
    assert reports_there(client, patient) == []
