"""The real servers do what the other tests rely on."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis

from tests.servers import ServerUnavailable, hapi, processes
from tests.servers.hapi import HapiServer, HapiValidator
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer

FHIR_JSON = {"Content-Type": "application/fhir+json"}
PROFILE = "https://fillertrace.example/StructureDefinition/patient-with-birth-date"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fhir() -> Iterator[httpx.Client]:
    """A client of a running HAPI server."""
    with (
        HapiServer() as server,
        httpx.Client(base_url=server.base_url, headers=FHIR_JSON, timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HapiValidator]:
    """A validator that knows one profile of our own."""
    folder = tmp_path_factory.mktemp("definitions")
    (folder / "profile.json").write_text(json.dumps(_PATIENT_WITH_BIRTH_DATE))
    with HapiValidator(folder) as running:
        yield running


_PATIENT_WITH_BIRTH_DATE = {
    "resourceType": "StructureDefinition",
    "url": PROFILE,
    "name": "PatientWithBirthDate",
    "status": "active",
    "fhirVersion": "4.0.1",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}]},
}


def _identifier() -> dict[str, str]:
    return {"system": "urn:fillertrace:test", "value": uuid.uuid4().hex}


def _transaction(identifier: dict[str, str]) -> dict[str, Any]:
    """A patient, created only once, and an observation of the patient."""
    patient = f"urn:uuid:{uuid.uuid4()}"
    query = f"identifier={identifier['system']}|{identifier['value']}"
    code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": patient,
                "resource": {"resourceType": "Patient", "identifier": [identifier]},
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": query},
            },
            {
                "fullUrl": f"urn:uuid:{uuid.uuid4()}",
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": code,
                    "subject": {"reference": patient},
                },
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }


def _post_transaction(fhir: httpx.Client, identifier: dict[str, str]) -> tuple[str, str]:
    """Post it and return the places of the patient and the observation."""
    answer = fhir.post("", json=_transaction(identifier))
    assert answer.status_code == 200, answer.text
    patient, observation = (entry["response"]["location"].split("/_history")[0] for entry in answer.json()["entry"])
    return patient, observation


# --- HAPI server ------------------------------------------------------------------------------------------


def test_everything_holds_what_a_transaction_wrote(fhir: httpx.Client) -> None:
    patient, observation = _post_transaction(fhir, _identifier())
    everything = fhir.get(f"{patient}/$everything").raise_for_status().json()
    places = {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in everything["entry"]}
    assert {patient, observation} <= places


def test_conditional_create_in_a_transaction_makes_one_patient(fhir: httpx.Client) -> None:
    identifier = _identifier()
    first, _ = _post_transaction(fhir, identifier)
    second, _ = _post_transaction(fhir, identifier)
    assert first == second


def test_a_search_sees_every_write_at_once(fhir: httpx.Client) -> None:
    patient, _ = _post_transaction(fhir, _identifier())
    query = {"subject": patient, "code": "http://loinc.org|29463-7"}
    totals = []
    for _ in range(3):
        totals.append(fhir.get("Observation", params=query).raise_for_status().json()["total"])
        body = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": patient},
        }
        fhir.post("Observation", json=body).raise_for_status()
    assert totals == [1, 2, 3]


def test_a_client_may_choose_a_uuid_and_history_keeps_its_versions(fhir: httpx.Client) -> None:
    place = f"Patient/{uuid.uuid4()}"
    for gender in ("female", "unknown"):
        body = {"resourceType": "Patient", "id": place.split("/")[1], "gender": gender}
        fhir.put(place, json=body).raise_for_status()
    assert fhir.get(place).headers["ETag"] == 'W/"2"'
    assert fhir.get(f"{place}/_history").json()["total"] == 2
    assert fhir.get(f"{place}/_history/1").json()["gender"] == "female"


def test_a_dangling_reference_and_the_deletion_of_a_target_are_refused(fhir: httpx.Client) -> None:
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "weight"}}
    dangling = fhir.post("Observation", json=body | {"subject": {"reference": "Patient/nobody"}})
    assert dangling.status_code == 400
    patient, _ = _post_transaction(fhir, _identifier())
    assert fhir.delete(patient).status_code == 409


def test_a_failed_transaction_leaves_nothing(fhir: httpx.Client) -> None:
    identifier = _identifier()
    bundle = _transaction(identifier)
    bundle["entry"][1]["resource"]["subject"]["reference"] = "Patient/nobody"
    assert fhir.post("", json=bundle).status_code == 400
    query = {"identifier": f"{identifier['system']}|{identifier['value']}"}
    assert fhir.get("Patient", params=query).json()["total"] == 0


def test_the_server_validates_on_demand(fhir: httpx.Client) -> None:
    outcome = fhir.post("Observation/$validate", json={"resourceType": "Observation", "status": "final"}).json()
    assert any(issue["severity"] == "error" and "code" in issue["diagnostics"] for issue in outcome["issue"])


def test_a_stored_value_set_expands(fhir: httpx.Client) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    include = {"system": system, "concept": [{"code": "H"}, {"code": "L"}]}
    body = {"resourceType": "ValueSet", "url": "urn:fillertrace:high-low", "status": "active"}
    stored = fhir.post("ValueSet", json=body | {"compose": {"include": [include]}}).raise_for_status().json()
    expanded = fhir.get(f"ValueSet/{stored['id']}/$expand").raise_for_status().json()
    assert {concept["code"] for concept in expanded["expansion"]["contains"]} == {"H", "L"}


def test_a_subscription_calls_its_hook(fhir: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.settimeout(0.5)
        subscription = _subscribe(fhir, f"http://127.0.0.1:{receiver.getsockname()[1]}/hook")
        try:
            assert _was_called(fhir, receiver)
        finally:
            # Otherwise the server calls a closed port until it ends.
            fhir.delete(subscription).raise_for_status()


def _subscribe(fhir: httpx.Client, endpoint: str) -> str:
    body = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": "Observation?",
        "channel": {"type": "rest-hook", "endpoint": endpoint},
    }
    subscription = f"Subscription/{fhir.post('Subscription', json=body).raise_for_status().json()['id']}"
    deadline = time.monotonic() + 30
    while fhir.get(subscription).json()["status"] != "active":
        assert time.monotonic() < deadline, "the subscription never became active"
        time.sleep(0.1)
    return subscription


def _was_called(fhir: httpx.Client, receiver: socket.socket) -> bool:
    """Write until the hook is called: a write just after the activation may be missed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        _post_transaction(fhir, _identifier())
        try:
            caller, _ = receiver.accept()
        except TimeoutError:
            continue
        with caller:
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return True
    return False


def test_a_database_file_outlives_the_server(tmp_path: Path) -> None:
    for attempt in ("write", "read"):
        server = HapiServer()
        server.start(database=tmp_path / "database")
        with server, httpx.Client(base_url=server.base_url, headers=FHIR_JSON, timeout=60) as client:
            if attempt == "write":
                patient, _ = _post_transaction(client, _identifier())
            else:
                assert client.get(patient).status_code == 200


# --- HAPI validator ---------------------------------------------------------------------------------------


def _errors(validator: HapiValidator, resource: dict[str, Any] | bytes | str, *profiles: str) -> list[str]:
    return [finding.message for finding in validator.validate(resource, profiles) if finding.is_error]


GOOD = {"resourceType": "Patient", "birthDate": "1980-02-29", "gender": "female"}


def test_a_good_resource_has_no_errors(validator: HapiValidator) -> None:
    assert _errors(validator, GOOD, PROFILE) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gender": "unheard"}, "not found in the value set"),
        ({"birthDate": "1981-02-29"}, "Not a valid date"),
        ({"colour": "green"}, "Unrecognized property 'colour'"),
        ({"generalPractitioner": [{"reference": "Device/1"}]}, "Device"),
        ({"contact": [{"gender": "female"}]}, "pat-1"),
    ],
)
def test_a_bad_resource_has_an_error(validator: HapiValidator, change: dict[str, Any], says: str) -> None:
    errors = _errors(validator, GOOD | change)
    assert any(says in error for error in errors), errors


def test_our_own_profile_is_enforced_only_where_it_is_asked_for(validator: HapiValidator) -> None:
    without = {"resourceType": "Patient", "gender": "female"}
    assert _errors(validator, without) == []
    assert any("birthDate" in error for error in _errors(validator, without, PROFILE))
    assert any("birthDate" in error for error in _errors(validator, without | {"meta": {"profile": [PROFILE]}}))


def test_an_unknown_profile_is_an_error(validator: HapiValidator) -> None:
    assert _errors(validator, GOOD, "urn:fillertrace:no-such-profile")


def test_raw_text_reaches_the_validator_unchanged(validator: HapiValidator) -> None:
    text = '{\n  "resourceType": "Patient",\n  "gender": "female"\n}'
    assert _errors(validator, text) == []
    assert _errors(validator, text.encode()) == []
    twice = '{"resourceType":"Patient","gender":"female","gender":"male"}'
    assert any("gender" in error for error in _errors(validator, twice))


def test_what_is_not_json_is_a_finding_and_the_validator_goes_on(validator: HapiValidator) -> None:
    assert [finding.severity for finding in validator.validate('{"resourceType": "Patient", ')] == ["fatal"]
    assert _errors(validator, GOOD) == []


def test_threads_get_their_own_answers(validator: HapiValidator) -> None:
    def validate(number: int) -> bool:
        expected = f"Unrecognized property 'x{number}'"
        return any(expected in error for error in _errors(validator, GOOD | {f"x{number}": 1}))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(validate, range(40)))


# --- availability -----------------------------------------------------------------------------------------


def test_parallel_builds_agree() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: hapi.build(), range(4))) == {hapi.TARGET}


def test_a_missing_java_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServerUnavailable, match="java is not on PATH"):
        hapi.build()


# --- Redis ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tcp", [False, True])
def test_redis_keeps_its_data_over_stop_and_kill_and_loses_them_by_flush(tcp: bool) -> None:
    with RedisServer(tcp=tcp) as server:
        assert server.kind in ("redis", "valkey")
        url = server.url
        with redis.Redis.from_url(url) as client:
            client.set("key", "first")
        server.restart()
        assert _value(server) == b"first"
        with redis.Redis.from_url(url) as client:
            client.set("key", "second")
        server.kill9()
        with pytest.raises(redis.ConnectionError):
            _value(server)
        server.restart()
        assert _value(server) == b"second"
        server.flush()
        assert _value(server) is None
        assert server.url == url


def _value(server: RedisServer) -> Any:
    with redis.Redis.from_url(server.url) as client:
        return client.get("key")


def test_valkey_stands_in_where_redis_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with RedisServer() as server:
        assert server.kind == "valkey"
        server.kill9()
        server.restart()
        assert _value(server) is None


def test_two_redis_servers_do_not_meet() -> None:
    with RedisServer() as one, RedisServer() as other:
        with redis.Redis.from_url(one.url) as client:
            client.set("key", "value")
        assert _value(other) is None


# --- PostgreSQL -------------------------------------------------------------------------------------------


def test_postgresql_keeps_what_is_committed_over_stop_and_kill() -> None:
    with PostgresqlServer() as server:
        url = server.create_database("filler trace")
        assert url == server.url("filler trace")
        _execute(server, "CREATE TABLE kept (value integer)")
        _execute(server, "INSERT INTO kept VALUES (1)")
        server.restart()
        _execute(server, "INSERT INTO kept VALUES (2)")
        server.kill9()
        with pytest.raises(psycopg.OperationalError):
            _execute(server, "SELECT 1")
        server.start()
        assert _execute(server, "SELECT value FROM kept ORDER BY value") == [(1,), (2,)]


def _execute(server: PostgresqlServer, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


# --- life and death ---------------------------------------------------------------------------------------

_STARTS_SERVERS = """
import time
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer
servers = [RedisServer(), PostgresqlServer()]
for server in servers:
    server.start()
print(*(server._process.pid for server in servers), *(server.log.parent for server in servers), flush=True)
time.sleep(600)
"""


def test_servers_die_with_the_process_that_started_them() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _STARTS_SERVERS], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert parent.stdout is not None
    words = parent.stdout.readline().split()
    assert len(words) == 4
    servers, folders = words[:2], words[2:]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{server}").exists() for server in servers):
        assert time.monotonic() < deadline, "a server outlived its parent"
        time.sleep(0.05)
    for folder in folders:  # nobody was left to remove them
        processes.remove_folder(Path(folder))


def test_a_server_outlives_the_thread_that_started_it() -> None:
    server = RedisServer()
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    time.sleep(0.3)
    with server:
        server.flush()


def test_nothing_is_left_behind() -> None:
    with RedisServer() as store, PostgresqlServer() as database:
        folders = [store.log.parent, database.log.parent]
        assert all(folder.is_dir() for folder in folders)
    assert not any(folder.exists() for folder in folders)
