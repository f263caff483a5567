"""An EHR that demands tokens: HAPI behind a gate, and two authorization servers that know us by our published keys.

One of them is strict (tests/servers/token_server.py), and one is npm's oidc-provider, which nobody here wrote.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ehr.client import FhirClient
from ehr.keys import OwnKeys, new_key, write_keys
from ehr.settings import needed_scope
from ehr.transport import Transport
from ehr.written_content import stands_as_written
from tests.hapi.pulled import client_of, load_patient, reports_there
from tests.servers import processes
from tests.servers.forwarding import forwarded_to
from tests.servers.hapi import HapiServer
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.servers.oidc_provider import OidcServer, backend_client
from tests.servers.service import Service
from tests.servers.token_gate import TokenGate, introspected_at, signed_by
from tests.servers.token_server import TokenServer
from tests.unit.cli.command import fillertrace
from tests.unit.ehr.clients import LOCAL, searchset

AUDIENCE = "https://ehr.example/fhir"
CLIENT_ID = "fillertrace"
SCOPE = needed_scope(writes=True)
FHIR_JSON = {"Content-Type": "application/fhir+json"}
FETCH_FIRST = {"resourceType": "Parameters", "parameter": [{"name": "source", "valueString": "ehr"}]}
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def transport() -> Iterator[Transport]:
    with Transport(private_hosts=LOCAL) as transport:
        yield transport


@pytest.fixture
def direct(transport: Transport, hapi_server: HapiServer) -> FhirClient:
    """A client that comes in behind the gate."""
    return client_of(transport, hapi_server.base_url)


@contextmanager
def strict(hapi: str, **keys: Any) -> Iterator[tuple[TokenGate, TokenServer]]:
    """HAPI behind a gate that asks the strict server about every token."""
    with TokenServer(AUDIENCE) as issuer:
        issuer.register(CLIENT_ID, scope=SCOPE, **keys)
        with TokenGate(forwarded_to(hapi), described=issuer.described, check=introspected_at(issuer)) as gate:
            yield gate, issuer


@contextmanager
def of_others(hapi: str, *, jwks_url: str) -> Iterator[tuple[TokenGate, OidcServer]]:
    """HAPI behind a gate that believes what npm's oidc-provider has signed."""
    clients = [backend_client(CLIENT_ID, jwks_url, scope=SCOPE)]
    with OidcServer(clients, audience=AUDIENCE, scope=SCOPE) as issuer:
        described = issuer.described()
        check = signed_by(issuer.issuer, jwks_url=described["jwks_uri"], audience=AUDIENCE)
        with TokenGate(forwarded_to(hapi), described=described, check=check) as gate:
            yield gate, issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Fillertrace, whose one EHR is behind a gate."""

    service: Service
    keys: Path
    data: Path

    def admit(self, patient: dict[str, Any]) -> str:
        """Make a Patient known here by their identifiers; our id."""
        known = {"resourceType": "Patient", "identifier": patient["identifier"]}
        answer = httpx.post(f"{self.service.base_url}/Patient", json=known, headers=FHIR_JSON, timeout=30)
        assert answer.status_code == 201, answer.text
        own_id: str = answer.json()["id"]
        return own_id

    def correlate(self, own_id: str) -> dict[str, Any]:
        """The report, after the record was fetched from the EHR."""
        address = f"{self.service.base_url}/Patient/{own_id}/$correlate"
        headers = {**FHIR_JSON, "Prefer": f"wait={PATIENCE_SECONDS}"}
        answer = httpx.post(address, json=FETCH_FIRST, headers=headers, timeout=2 * PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()["entry"][0]["resource"]
        return report

    def assert_keeps(self, *secrets: str) -> None:
        """None of these stands in the log, the record or the queue."""
        files = [self.service.log, *(path for path in self.data.rglob("*") if path.is_file())]
        assert len(files) > 2
        for secret in secrets:
            assert [path for path in files if secret.encode() in path.read_bytes()] == []


@contextmanager
def running(folder: Path, gate: TokenGate, *, token_url: str, port: int, algorithm: str) -> Iterator[Here]:
    keys = folder / "keys.json"
    write_keys(keys, [new_key(algorithm)])
    settings = {
        "FILLERTRACE_EHR_SERVERS": f"ehr={gate.base_url}",
        "FILLERTRACE_EHR_ALLOW": "127.0.0.1",
        "FILLERTRACE_EHR_CLIENT_IDS": f"ehr={CLIENT_ID}",
        "FILLERTRACE_EHR_TOKEN_URLS": f"ehr={token_url}",
        "FILLERTRACE_EHR_KEY_SET": str(keys),
        "FILLERTRACE_EHR_WRITE_BACK": "ehr",
    }
    arguments = ("serve", "--port", str(port), "--data", str(folder / "data"))
    with Service(*arguments, folder=folder, settings=settings) as service:
        yield Here(service=service, keys=keys, data=folder / "data")


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def written_back(direct: FhirClient, patient: str) -> dict[str, Any]:
    """The one report of a patient on HAPI, once it is there."""
    until(lambda: reports_there(direct, patient))
    (report,) = reports_there(direct, patient)
    return report


def own_keys_at(port: int) -> str:
    return f"http://127.0.0.1:{port}/.well-known/jwks.json"


def assert_explained_and_written_back(here: Here, direct: FhirClient, patient: str, own_id: str) -> None:
    report = here.correlate(own_id)
    assert "likely explained by the recorded Radiesse injections" in report["conclusion"]
    there = written_back(direct, patient)
    assert there["id"] == report["id"]
    assert stands_as_written(there)


@pytest.mark.requirement("SM-09")
@pytest.mark.timeout(900)  # the first time, Maven and npm bring what they need
@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_server_that_nobody_here_wrote_gives_us_a_token_to_fetch_and_to_write_back(
    hapi_server: HapiServer, direct: FhirClient, tmp_path: Path, algorithm: str
) -> None:
    patient = load_patient(direct)
    port = processes.free_port()
    with (
        of_others(hapi_server.base_url, jwks_url=own_keys_at(port)) as (gate, issuer),
        running(tmp_path, gate, token_url=issuer.described()["token_endpoint"], port=port, algorithm=algorithm) as here,
    ):
        own_id = here.admit(direct.read("Patient", patient))
        assert_explained_and_written_back(here, direct, patient, own_id)
        here.assert_keeps(*gate.tokens)
    assert gate.refused == []
    assert len(gate.tokens) == 1


@pytest.mark.requirement("SM-08", "SM-09")
def test_a_strict_server_gives_us_a_token_and_another_one_when_that_is_revoked(
    hapi_server: HapiServer, direct: FhirClient, tmp_path: Path
) -> None:
    patient = load_patient(direct)
    port = processes.free_port()
    with (
        strict(hapi_server.base_url, jwks_url=own_keys_at(port)) as (gate, issuer),
        running(tmp_path, gate, token_url=issuer.token_url, port=port, algorithm="ES384") as here,
    ):
        own_id = here.admit(direct.read("Patient", patient))
        assert_explained_and_written_back(here, direct, patient, own_id)
        assert (len(gate.tokens), gate.refused) == (1, [])
        issuer.revoke(gate.tokens[0])
        here.correlate(own_id)
        assert len(gate.tokens) == len(issuer.assertions) == 2
        assert [status for status, _ in gate.refused] == [401]
        here.assert_keeps(*gate.tokens)
    assert_hears_of_no_token(issuer, gate)


@pytest.mark.requirement("SM-09")
def test_keys_are_renewed_without_a_gap_and_in_haste_with_one(
    hapi_server: HapiServer, direct: FhirClient, tmp_path: Path
) -> None:
    """oidc-provider keeps our key set for five minutes; started again, it has forgotten it as after that time."""
    patient = load_patient(direct)
    port = processes.free_port()
    with (
        of_others(hapi_server.base_url, jwks_url=own_keys_at(port)) as (gate, issuer),
        running(tmp_path, gate, token_url=issuer.described()["token_endpoint"], port=port, algorithm="ES384") as here,
        ThreadPoolExecutor(1) as pool,
    ):
        own_id = here.admit(direct.read("Patient", patient))

        def keys(*change: str) -> list[str]:
            done = fillertrace("keys", str(here.keys), *change)
            assert done.returncode == 0, done.stderr
            return [line.split()[0] for line in done.stdout.decode().splitlines()]

        def fetch_with_another_token() -> None:
            before = len(gate.tokens)
            gate.revoked.update(gate.tokens)
            here.correlate(own_id)
            assert len(gate.tokens) == before + 1

        fetch_with_another_token()
        old, new = keys("--new", "ES384")
        fetch_with_another_token()  # the old one signs, and is all that the server knows
        issuer.restart()
        fetch_with_another_token()  # now it knows both
        assert keys("--first", new) == [new, old]
        fetch_with_another_token()
        assert keys("--remove", old) == [new]
        fetch_with_another_token()
        assert "attempt-failed" not in here.service.log.read_text()

        _, hasty = keys("--new", "ES384")
        keys("--first", hasty)  # it signs at once, and the server does not know it
        waiting = pool.submit(fetch_with_another_token)
        until(lambda: "attempt-failed" in here.service.log.read_text())
        assert not waiting.done()
        issuer.restart()
        waiting.result()


@pytest.mark.requirement("SM-08", "SM-09")
@pytest.mark.parametrize("moment", ["/fhir/ImagingStudy?", "code="])
def test_a_pull_goes_on_when_its_token_is_revoked_and_takes_it_to_no_other_server(
    hapi_server: HapiServer, direct: FhirClient, tmp_path: Path, moment: str
) -> None:
    """Revoked while the record is fetched, and just before the report is written."""
    patient = load_patient(direct)
    keys = tmp_path / "keys.json"
    write_keys(keys, [new_key("RS384")])
    known = ("--client-id", CLIENT_ID, "--key-set", str(keys))
    with (
        strict(hapi_server.base_url, jwks=OwnKeys(keys).public()) as (gate, issuer),
        Loopback(lambda _: reply(searchset())) as foreign,
    ):
        behind = gate.upstream
        leading_away = {
            "/fhir/Condition": reply(searchset(next_url=f"{foreign.base_url}/fhir/Condition?page=2")),
            "/fhir/Encounter": reply(b"", status=302, Location=f"{foreign.base_url}/fhir/Encounter"),
        }

        def answer(request: Received) -> Reply:
            if moment in request.path and len(gate.tokens) == 1 and not gate.refused:
                gate.revoked.update(gate.tokens)
            return leading_away.get(request.path.partition("?")[0]) or behind(request)

        gate.upstream = answer
        done = fillertrace(
            "pull",
            "--from",
            gate.base_url,
            "--patient",
            patient,
            "--write-back",
            *known,
            "--token-url",
            issuer.token_url,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(b": created\n")
    assert b"could not be fetched: Condition, Encounter" in done.stderr
    assert json.loads(done.stdout)["entry"][0]["resource"]["id"] == written_back(direct, patient)["id"]
    assert [status for status, _ in gate.refused] == [401]
    assert len(gate.tokens) == len(issuer.assertions) == 2
    assert foreign.received == []
    assert_hears_of_no_token(issuer, gate)
    assert not [token for token in gate.tokens if token.encode() in done.stdout + done.stderr]


def assert_hears_of_no_token(issuer: TokenServer, gate: TokenGate) -> None:
    """Who gives a token is not shown it again; only the gate asks about it."""
    ours = [request for request in issuer.received if request.path != "/introspect"]
    assert ours
    assert not [request for request in ours if "authorization" in request.headers]
    assert not [request for request in ours if any(token.encode() in request.content for token in gate.tokens)]
