"""Five clients nobody here wrote do a session with a token: create, read, transaction, pages, `$correlate` later."""

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
from tests.servers.service import Service, smart_access
from tests.servers.token_server import TokenServer

FOLDER = Path(__file__).parent
SESSION_SECONDS = 120
OWN_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"


@pytest.fixture(scope="module")
def token_server() -> Iterator[TokenServer]:
    with TokenServer() as server:
        yield server


@pytest.fixture(scope="module")
def base_url(token_server: TokenServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("clients")
    settings = smart_access(token_server.issuer, audience=token_server.audience)
    with Service("serve", "--port", "0", "--data", str(folder / "data"), folder=folder, settings=settings) as service:
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
def test_a_client_does_a_whole_session(
    base_url: str, token_server: TokenServer, tmp_path: Path, how: Any, name: str
) -> None:
    word = name.partition(".")[0].replace("_", "-").lower()
    record = tmp_path / "record.json"
    record.write_bytes(published_case_of(word))
    token = token_server.token()
    command = [*how(name), base_url, word, str(record), token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SESSION_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])

    def get(path: str, **query: str) -> Any:
        return httpx.get(f"{base_url}/{path}", params=query, headers={"Authorization": f"Bearer {token}"}).json()

    patient = get(f"Patient/{said['patient']}")
    assert patient["identifier"] == [{"system": "https://clients.example/mrn", "value": word}]
    created = [location.split("Observation/")[1].split("/")[0] for location in said["created"]]
    assert len(created) == 5
    assert sorted(said["found"]) == sorted(created)
    assert len(set(said["found"])) == 5
    report = get(f"DiagnosticReport/{said['report']}")
    assert report["conclusionCode"]
    found = get("DiagnosticReport", patient=report["subject"]["reference"], code=OWN_CODE)
    assert [entry["resource"]["id"] for entry in found["entry"]] == [said["report"]]
