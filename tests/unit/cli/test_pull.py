"""`fillertrace pull` as a command: its usage, its token, and what it says of a server that fails."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import simplejson

from ehr.keys import OwnKeys, new_key, write_keys
from ehr.settings import EhrSettings
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.servers.token_gate import TokenGate, introspected_at
from tests.servers.token_server import TokenServer
from tests.unit.cli.command import fillertrace
from tests.unit.ehr.clients import searchset

PATIENT = {"resourceType": "Patient", "id": "12", "name": [{"family": "Nobodyelse"}], "birthDate": "1970-01-02"}
QUICK = {"FILLERTRACE_EHR_ATTEMPTS": "1"}


def server_of(**answers: Any) -> Any:
    """A server of one patient; an answer for a type is a Reply or the resources of its one page."""

    def answer(request: Received) -> Reply:
        name = request.path.removeprefix("/fhir/").partition("?")[0]
        found = answers.get(name.replace("/", "_"), reply(PATIENT) if name == "Patient/12" else [])
        return found if isinstance(found, Reply) else reply(searchset(*found))

    return answer


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--patient", "12"), b"--from"),
        (("--from", "http://127.0.0.1/fhir"), b"--patient"),
        (("--from", "ehr.example", "--patient", "12"), b"the base of a FHIR server"),
        (("--from", "https://ehr.example/fhir?x=1", "--patient", "12"), b"the base of a FHIR server"),
        (("--from", "http://127.0.0.1/fhir", "--patient", ""), b"the id of the Patient"),
        (("--from", "http://127.0.0.1/fhir", "--patient", "Patient/"), b"the id of the Patient"),
        (
            ("--from", "http://127.0.0.1/fhir", "--patient", "http://127.0.0.1/fhir/Patient/12"),
            b"the id of the Patient",
        ),
        (("--from", "http://127.0.0.1/fhir", "--patient", "12", "--client-id", "x"), b"go together"),
        (("--from", "http://127.0.0.1/fhir", "--patient", "12", "--language", "fr"), b"no words for"),
    ],
)
def test_wrong_usage_is_exit_2(arguments: tuple[str, ...], says: bytes) -> None:
    done = fillertrace("pull", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr


def test_a_mistyped_setting_is_exit_2() -> None:
    settings = {"FILLERTRACE_EHR_ATTEMTPS": "1"}
    done = fillertrace("pull", "--from", "http://127.0.0.1:9/fhir", "--patient", "12", settings=settings)
    assert done.returncode == 2
    assert b"FILLERTRACE_EHR_ATTEMTPS" in done.stderr


def test_a_server_that_is_not_there_is_exit_4() -> None:
    done = fillertrace("pull", "--from", "http://127.0.0.1:9/fhir", "--patient", "12", settings=QUICK)
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"127.0.0.1 could not be reached" in done.stderr


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (reply({}, status=404), b"is --patient right, and --from the base"),
        (reply({}, status=410), b"status 410"),
        (reply({}, status=403), b"status 403"),
        (reply(b"<html>Nobodyelse</html>"), b"not JSON"),
        (reply(b"", status=302, Location="https://elsewhere.example/"), b"redirect"),
    ],
)
def test_without_the_patient_it_is_exit_4_and_nothing_is_printed(answer: Reply, says: bytes) -> None:
    with Loopback(server_of(Patient_12=answer)) as server:
        done = fillertrace("pull", "--from", f"{server.base_url}/fhir", "--patient", "12", settings=QUICK)
    assert (done.returncode, done.stdout) == (4, b"")
    assert says in done.stderr
    assert b"Nobodyelse" not in done.stderr


def test_a_record_of_another_version_of_fhir_is_exit_3_with_an_outcome() -> None:
    procedure = {"resourceType": "Procedure", "id": "1", "subject": {"reference": "Patient/12"}}
    of_r5 = [{**procedure, "occurrenceDateTime": "2020-01-01", "used": [], "reason": []}]
    with Loopback(server_of(Procedure=of_r5)) as server:
        done = fillertrace("pull", "--from", f"{server.base_url}/fhir", "--patient", "12", "--format", "worksheet")
    assert done.returncode == 3
    assert simplejson.loads(done.stdout)["resourceType"] == "OperationOutcome"
    assert b"refused: fhir-version" in done.stderr


def test_each_step_and_what_was_seen_is_said_on_stderr_and_nothing_of_the_record() -> None:
    answers = {
        "Condition": reply({}, status=403),
        "Encounter": reply({}, status=500),
        "Specimen": reply({}, status=404),
    }
    with Loopback(server_of(**answers)) as server:
        done = fillertrace(
            "pull", "--from", f"{server.base_url}/fhir", "--patient", "12", "--write-back", settings=QUICK
        )
        assert not [request for request in server.received if request.method != "GET"]
    assert done.returncode == 0
    said = done.stderr.decode().splitlines()
    assert said[0] == "… Patient (1 of 15)"
    assert said[14:] == [
        "… references (15 of 15)",
        f"fetched from 127.0.0.1:{server.port}: Patient 1",
        "not permitted: Condition",
        "could not be fetched: Encounter",
        "not offered by that server: Specimen",
        "the answer says that it could not see all of: conditions (not-fetched), conditions (not-permitted)",
        "not written back: there is no report, as no imaging is in reach",
    ]
    outcome = simplejson.loads(done.stdout)["entry"][0]["resource"]
    assert outcome["resourceType"] == "OperationOutcome"
    assert not [word for word in ("Nobodyelse", "1970") if word in done.stderr.decode()]


@pytest.mark.requirement("SM-09")
@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_it_gets_a_token_of_its_own_and_says_what_that_does_not_reach(tmp_path: Path, algorithm: str) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, [new_key(algorithm)])
    known = ("--client-id", "fillertrace", "--key-set", str(keys))
    scope = "system/Patient.rs system/Observation.rs?category=laboratory"
    with TokenServer() as issuer:
        issuer.register("fillertrace", scope=scope, jwks=OwnKeys(keys).public())
        with TokenGate(server_of(), described=issuer.described, check=introspected_at(issuer)) as gate:
            unnamed = fillertrace("pull", "--from", gate.base_url, "--patient", "12", *known)
            assert issuer.assertions == []
            known = (*known, "--token-url", issuer.token_url)
            done = fillertrace("pull", "--from", gate.base_url, "--patient", "12", *known)
    assert unnamed.returncode == 4
    assert b"--token-url" in unnamed.stderr
    assert done.returncode == 0, done.stderr
    assert [one.header["alg"] for one in issuer.assertions] == [algorithm]
    assert b"observations (limited)" in done.stderr
    assert b"conditions (not-permitted)" in done.stderr
    (token,) = gate.tokens
    assert token.encode() not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, b"No such file"), ('{"keys": "s3cret"}', b"not a JWK set"), ('{"keys": []}', b"not a JWK set")],
)
def test_keys_that_cannot_be_used_are_exit_2_before_anything_is_sent(
    tmp_path: Path, content: str | None, says: bytes
) -> None:
    keys = tmp_path / "keys.json"
    if content is not None:
        keys.write_text(content)
    with Loopback(server_of()) as server:
        known = ("--client-id", "fillertrace", "--key-set", str(keys))
        done = fillertrace("pull", "--from", f"{server.base_url}/fhir", "--patient", "12", *known)
        assert server.received == []
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr
    assert b"`fillertrace keys`" in done.stderr
    assert b"s3cret" not in done.stderr


def test_keys_that_the_server_does_not_take_are_exit_4(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, [new_key("ES384")])
    with TokenServer() as issuer:
        known = ("--client-id", "fillertrace", "--key-set", str(keys), "--token-url", issuer.token_url)
        issuer.described["token_endpoint_auth_signing_alg_values_supported"] = ["RS384"]
        with TokenGate(server_of(), described=issuer.described, check=introspected_at(issuer)) as gate:
            done = fillertrace("pull", "--from", gate.base_url, "--patient", "12", *known)
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"no key for RS384" in done.stderr


def test_a_server_that_wants_a_token_is_told_apart_from_one_that_refuses() -> None:
    """Who has given no client id is told how to give one; a 403 says nothing of a token."""
    told = {}
    for status in (401, 403):
        with Loopback(server_of(Patient_12=reply({}, status=status))) as server:
            done = fillertrace("pull", "--from", f"{server.base_url}/fhir", "--patient", "12", settings=QUICK)
        assert (done.returncode, done.stdout) == (4, b"")
        told[status] = done.stderr.decode()
    assert "it wants a token; give --client-id and --key-set" in told[401]
    assert "`fillertrace keys FILE --new ES384`" in told[401]
    assert "token" not in told[403]


def test_who_has_given_a_client_id_is_not_told_to_give_one(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, [new_key("ES384")])
    known = ("--client-id", "fillertrace", "--key-set", str(keys))
    with TokenServer() as issuer:
        issuer.register("fillertrace", scope="system/*.rs", jwks=OwnKeys(keys).public())
        with TokenGate(server_of(), described=issuer.described, check=lambda _: None) as gate:
            done = fillertrace(
                "pull", "--from", gate.base_url, "--patient", "12", *known, "--token-url", issuer.token_url
            )
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"status 401" in done.stderr
    assert b"--client-id" not in done.stderr


def test_the_patient_may_be_named_as_a_reference() -> None:
    with Loopback(server_of()) as server:
        done = fillertrace("pull", "--from", f"{server.base_url}/fhir", "--patient", "Patient/12", settings=QUICK)
        asked = [request.path for request in server.received]
    assert done.returncode == 0, done.stderr
    assert "/fhir/Patient/12" in asked
    assert not [path for path in asked if "Patient%2F" in path or "Patient/Patient" in path]


def test_the_help_leads_to_keys_and_to_settings_that_exist() -> None:
    said = fillertrace("pull", "--help").stdout.decode()
    assert "`fillertrace keys FILE --new ES384`" in said
    named = re.search(r"FILLERTRACE_EHR_ALLOW.*?_TIMEOUT_SECONDS", said, flags=re.DOTALL)
    assert named
    fields = {name.lower() for name in re.findall(r"\b(?:FILLERTRACE_EHR)?_([A-Z_]+)", named[0])}
    assert len(fields) == 7
    assert fields <= {field.name for field in dataclasses.fields(EhrSettings)}
