"""Five clients nobody here wrote do a session: create, read, transaction, search by pages, and `$correlate` later."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.records import published_case_of
from tests.servers import hapi, npm
from tests.servers.service import Service

FOLDER = Path(__file__).parent
SESSION_SECONDS = 120
OWN_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("clients")
    with Service("serve", "--port", "0", "--data", str(folder / "data"), folder=folder) as service:
        yield service.base_url


def node_program(name: str) -> list[str]:
    program = npm.node()
    npm.install(FOLDER)
    return [program, str(FOLDER / name)]


def python_program(name: str) -> list[str]:
    return [sys.executable, str(FOLDER / name)]


def java_program(name: str) -> list[str]:
    """HAPI's client comes with its server; Java runs the one source file as it is."""
    return [hapi.java(), "-cp", f"{hapi.build() / 'lib'}/*", str(FOLDER / name)]


@pytest.mark.requirement("HTTP-05", "HTTP-12", "HTTP-16", "ASY-01", "ASY-13")
@pytest.mark.parametrize(
    ("how", "name"),
    [
        (python_program, "with_fhirpy.py"),
        (python_program, "with_fhirclient.py"),
        (node_program, "with_fhir_kit_client.mjs"),
        (node_program, "with_smart_client.mjs"),
        (java_program, "WithHapiClient.java"),
    ],
)
@pytest.mark.timeout(900)  # the first time, Maven and npm bring what they need
def test_a_client_does_a_whole_session(base_url: str, tmp_path: Path, how: Any, name: str) -> None:
    word = name.partition(".")[0].replace("_", "-").lower()
    record = tmp_path / "record.json"
    record.write_bytes(published_case_of(word))
    done = subprocess.run(
        [*how(name), base_url, word, str(record)], capture_output=True, text=True, timeout=SESSION_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])

    patient = httpx.get(f"{base_url}/Patient/{said['patient']}").json()
    assert patient["identifier"] == [{"system": "https://clients.example/mrn", "value": word}]
    created = [location.split("Observation/")[1].split("/")[0] for location in said["created"]]
    assert len(created) == 5
    assert sorted(said["found"]) == sorted(created)
    assert len(set(said["found"])) == 5
    report = httpx.get(f"{base_url}/DiagnosticReport/{said['report']}").json()
    assert report["conclusionCode"]
    query = {"patient": report["subject"]["reference"], "code": OWN_CODE}
    found = httpx.get(f"{base_url}/DiagnosticReport", params=query).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [said["report"]]
