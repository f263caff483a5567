"""The service beside a HAPI server whose words never arrive and to which nothing is written: asking is enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.hapi.test_at_home import FHIR_JSON, person, searched
from tests.sandbox import NAME, OUR_REPORTS, Sandbox, at_home, load, waited_for
from tests.servers import processes
from tests.servers.hapi import HapiServer

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def sandbox(hapi_server: HapiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    settings = {
        "FILLERTRACE_EHR_NOTIFY_URL": f"http://127.0.0.1:{processes.free_port()}",  # nobody is there
        "FILLERTRACE_EHR_POLL_SECONDS": "2",
        "FILLERTRACE_EHR_WRITE_BACK": "",
    }
    with at_home(hapi_server.base_url, tmp_path_factory.mktemp("home"), settings=settings) as sandbox:
        yield sandbox


def report_here(sandbox: Sandbox, patient: dict[str, Any]) -> dict[str, Any] | None:
    identifier = patient["identifier"][0]
    known = found_here(sandbox, "Patient", identifier=f"{identifier['system']}|{identifier['value']}")
    reports = found_here(sandbox, "DiagnosticReport", patient=known[0]["id"], code=OUR_REPORTS) if known else []
    return reports[0] if reports else None


def found_here(sandbox: Sandbox, type_: str, **query: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{sandbox.fillertrace}/{type_}", params=query).raise_for_status()
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def attribution(sandbox: Sandbox, report: dict[str, Any]) -> str:
    result = httpx.get(f"{sandbox.fillertrace}/{report['result'][0]['reference']}").raise_for_status().json()
    return str(result["valueCodeableConcept"]["coding"][0]["code"])


def test_a_word_that_never_comes_is_made_up_for_and_what_was_deleted_counts_no_longer(sandbox: Sandbox) -> None:
    patient = load(sandbox, person())
    remote = httpx.get(f"{sandbox.hapi}/Patient/{patient}").json()
    report = waited_for(lambda: report_here(sandbox, remote), seconds=60)
    assert report is not None, "nothing was heard"
    assert attribution(sandbox, report) == "explained"
    assert "/notify/" not in sandbox.log.read_text()
    assert sandbox.report_in_hapi(patient) is None

    for procedure in searched(sandbox, "Procedure", patient):
        httpx.delete(f"{sandbox.hapi}/Procedure/{procedure['id']}").raise_for_status()
    fetched = httpx.post(
        f"{sandbox.fillertrace}/{report['subject']['reference']}/$correlate",
        params={"source": NAME},
        headers={**FHIR_JSON, "Prefer": "wait=60"},
        timeout=90,
    )
    assert fetched.status_code == 200, fetched.text
    again = fetched.json()["entry"][0]["resource"]
    assert (again["id"], attribution(sandbox, again)) == (report["id"], "indeterminate")
