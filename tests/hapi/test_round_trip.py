"""The published case lives in a real HAPI server: read there, correlated here, written back, read again."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ehr.client import FhirClient
from ehr.transport import Transport
from ehr.write_back import Written, write_back
from fhir_mappings.resource_json import dumps
from tests.examples import as_transaction, case_bundle
from tests.servers.hapi import HapiServer
from tests.servers.service import Service

FHIR_JSON = {"Content-Type": "application/fhir+json"}
REPORT_SYSTEM = "https://fillertrace.example/fhir/report"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with Service("serve", "--port", "0", "--data", str(folder / "data"), folder=folder) as running:
        yield running


def correlate(service: Service, bundle: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(f"{service.base_url}/$correlate", content=dumps(bundle), headers=FHIR_JSON, timeout=60)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def references_on(server: FhirClient, service: Service, result: dict[str, Any]) -> dict[str, str]:
    """Our references to inputs, as the server they came from names them: `meta.source` keeps the address."""
    known = {}
    for reference in _references(result):
        answer = httpx.get(f"{service.base_url}/{reference}")
        source = answer.json().get("meta", {}).get("source", "") if answer.is_success else ""
        if source.startswith(server.base_url):
            known[reference] = source.removeprefix(f"{server.base_url}/")
    return known


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for item in value for found in _references(item)}
    if isinstance(value, dict):
        own = {value["reference"].partition("/_history/")[0]} if isinstance(value.get("reference"), str) else set()
        return own | {found for item in value.values() for found in _references(item)}
    return set()


def report_of(result: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = result["entry"][0]["resource"]
    assert report["resourceType"] == "DiagnosticReport"
    return report


def test_the_report_goes_back_to_hapi_once_and_changes_nothing_when_read_again(
    hapi_server: HapiServer, service: Service
) -> None:
    with Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        server = FhirClient(transport, hapi_server.base_url)
        created = server.transaction(as_transaction(case_bundle("V01")))
        patient = next(
            entry["response"]["location"].split("/")[1]
            for entry in created["entry"]
            if entry["response"]["location"].startswith("Patient/")
        )
        first = correlate(service, server.everything(patient))
        report = report_of(first)
        identifier = f"{REPORT_SYSTEM}|{report['identifier'][0]['value']}"
        known = references_on(server, service, first)
        assert known[report["subject"]["reference"]] == f"Patient/{patient}"

        assert write_back(server, first, references=known) is Written.CREATED
        assert write_back(server, first, references=known) is Written.UNCHANGED  # sent again
        there = list(server.search("DiagnosticReport", {"identifier": identifier}))
        assert len(there) == 1
        assert there[0]["conclusion"] == report["conclusion"]
        assert there[0]["subject"]["reference"] == f"Patient/{patient}"

        again = report_of(correlate(service, server.everything(patient)))
        assert again["conclusion"] == report["conclusion"]
        assert again["meta"]["versionId"] == report["meta"]["versionId"]
        assert again["id"] == report["id"]
