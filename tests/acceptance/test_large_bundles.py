"""Large Bundles are taken, or refused by the published limit; memory stays bounded and the door open."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples import CASE_IDS, as_transaction, case_bundle
from tests.performance.bundles import ENTRIES, patient_with
from tests.performance.running import Serving, serving
from tests.servers.synthea import old_people

FHIR_JSON = {"Content-Type": "application/fhir+json"}
ASYNC = {**FHIR_JSON, "Prefer": "respond-async"}
OURS = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
MEGABYTE = 1024 * 1024
# Parsing, sorting and keeping a Bundle needs several times its size while it lasts.
MEMORY_FOR_EACH_BYTE = 12
DEADLINE_SECONDS = 300.0


def people(entries: int) -> dict[str, Any]:
    """The public cases as one transaction of different people, until there are so many entries."""
    together: list[dict[str, Any]] = []
    number = 0
    while len(together) < entries:
        case = json.dumps(as_transaction(case_bundle(CASE_IDS[number % len(CASE_IDS)])))
        own = case.replace("ehr.example.org", f"ehr-{number}.example.org").replace(
            "urn:uuid:0000", f"urn:uuid:{number:04d}"
        )
        together += json.loads(own)["entry"]
        number += 1
    return {"resourceType": "Bundle", "type": "transaction", "entry": together[:entries]}


def finished(status_url: str) -> dict[str, Any]:
    """The result at a status address, once it is there."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        answer = httpx.get(status_url, timeout=60)
        if answer.status_code == 200:
            bundle: dict[str, Any] = answer.json()
            return bundle
        assert answer.status_code == 202, answer.text
        time.sleep(float(answer.headers["Retry-After"]))
    raise AssertionError("no result in time")


def memory(service: Serving) -> int:
    """Resident bytes of the API and of its largest worker."""
    cost = service.cost()
    return 1024 * (cost.api_kb + max(cost.worker_kb))


def test_a_transaction_of_two_thousand_entries(tmp_path: Path) -> None:
    bundle = people(2_000)
    body = json.dumps(bundle).encode()
    with serving(tmp_path / "service", workers=1) as service:
        before = memory(service)
        accepted = httpx.post(service.base_url, content=body, headers=ASYNC, timeout=120)
        assert accepted.status_code == 202, accepted.text
        assert httpx.get(f"{service.base_url}/metadata", timeout=10).status_code == 200
        answers = finished(accepted.headers["Content-Location"])["entry"][0]["resource"]["entry"]
        assert len(answers) == 2_000
        assert {entry["response"]["status"][:3] for entry in answers} <= {"200", "201"}
        service.wait_until_done()
        patients = [
            entry["response"]["location"].split("/")[1]
            for entry in answers
            if entry["response"].get("location", "").startswith("Patient/")
        ]
        assert len(patients) > 100
        for patient in patients[:: len(patients) // 20]:
            found = httpx.get(f"{service.base_url}/DiagnosticReport", params={"patient": patient, "code": OURS}).json()
            assert found["total"] <= 1
        assert memory(service) - before < MEMORY_FOR_EACH_BYTE * len(body) + 128 * MEGABYTE


def test_one_patient_with_two_thousand_entries(tmp_path: Path) -> None:
    first, *later = patient_with(2_000, number="large")
    together = json.loads(first)
    for part in later:
        together["entry"] += json.loads(part)["entry"][1:]
    assert len(together["entry"]) == 2_000 > ENTRIES
    with serving(tmp_path / "service", workers=1) as service:
        accepted = httpx.post(
            f"{service.base_url}/$correlate", content=json.dumps(together).encode(), headers=ASYNC, timeout=120
        )
        result = finished(accepted.headers["Content-Location"])["entry"][0]["resource"]
        assert result["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"


def test_the_published_limit_is_the_limit(tmp_path: Path) -> None:
    """The number in the CapabilityStatement is the one that holds, to the byte."""
    with serving(tmp_path / "service", workers=1) as service:
        documentation = httpx.get(f"{service.base_url}/metadata").json()["rest"][0]["documentation"]
        limit = int(documentation.partition("accepted is ")[2].partition(" bytes")[0])
        over = httpx.post(f"{service.base_url}/$correlate", content=b" " * (limit + 1), headers=FHIR_JSON, timeout=60)
        at = httpx.post(f"{service.base_url}/$correlate", content=b" " * limit, headers=FHIR_JSON, timeout=60)
    assert (over.status_code, over.json()["issue"][0]["details"]["coding"][0]["code"]) == (413, "too-large")
    assert at.status_code == 400


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_whole_synthetic_life(tmp_path: Path) -> None:
    """A life of about fifty megabytes: refused by the published limit; with a higher one taken, in bounded memory."""
    largest = old_people(tmp_path, count=40, seed=1)[:2]
    with serving(tmp_path / "service", workers=1) as service:
        for life in largest:
            before = memory(service)
            body = life.read_bytes()
            assert len(body) > 40 * MEGABYTE
            answer = httpx.post(f"{service.base_url}/$correlate", content=body, headers=ASYNC, timeout=300)
            assert answer.status_code == 413, answer.text
            assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "too-large"
            assert memory(service) - before < MEMORY_FOR_EACH_BYTE * len(body)
    settings = {"FILLERTRACE_API_MAX_BYTES": str(64 * MEGABYTE)}
    with serving(tmp_path / "wider", workers=1, settings=settings) as service:
        for life in largest:
            before = memory(service)
            body = life.read_bytes()
            entries = len(json.loads(body)["entry"])
            answer = httpx.post(f"{service.base_url}/$correlate", content=body, headers=ASYNC, timeout=300)
            if entries > 20_000:
                assert answer.status_code == 413, answer.text
            else:
                assert answer.status_code == 202, answer.text
                result = finished(answer.headers["Content-Location"])["entry"][0]["resource"]
                kinds = {entry["resource"]["resourceType"] for entry in result["entry"]}
                assert kinds & {"DiagnosticReport", "OperationOutcome"}
            assert memory(service) - before < MEMORY_FOR_EACH_BYTE * len(body)
            assert httpx.get(f"{service.base_url}/metadata", timeout=30).status_code == 200
