"""When a report is not written at all: before anything is sent. What is written: tests/hapi/test_write_back.py."""

from __future__ import annotations

from typing import Any

import pytest

from ehr.errors import Refused, Unavailable
from ehr.write_back import write_back
from ehr.written_content import marked
from tests.servers.loopback import Received, Reply, reply
from tests.unit.ehr.clients import client_of, searchset

CODE = {"coding": [{"system": "https://fillertrace.example/fhir/CodeSystem/report", "code": "correlation"}]}
REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "r1",
    "status": "preliminary",
    "code": CODE,
    "issued": "2026-11-01T00:00:00.000Z",
    "meta": {"tag": [{"code": "own-output"}]},
    "subject": {"reference": "Patient/ours"},
}
RESULT = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:r1", "resource": REPORT}]}
KNOWN = {"Patient/ours": "Patient/12"}


def statement(*, update_create: bool = True, **more: Any) -> Reply:
    rows = [{"type": "DiagnosticReport", "updateCreate": update_create}]
    return reply({"resourceType": "CapabilityStatement", "rest": [{"resource": rows}], **more})


def server(*, says: Reply | None = None, standing: dict[str, Any] | None = None) -> Any:
    def answer(request: Received) -> Reply:
        if request.path.startswith("/fhir/metadata"):
            return says or statement()
        if request.path.startswith("/fhir/DiagnosticReport?"):
            return reply(searchset())
        if request.method == "GET":
            return reply(standing) if standing else reply({}, status=404)
        return reply({}, status=503)

    return answer


def test_a_server_that_gives_all_ids_itself_is_refused_with_the_reason() -> None:
    with client_of(server(says=statement(update_create=False))) as (client, there):
        with pytest.raises(Refused, match="updateCreate is false"):
            write_back(client, RESULT, references=KNOWN)
        assert {request.method for request in there.received} == {"GET"}


@pytest.mark.parametrize("known", [{}, {"Patient/ours": "https://elsewhere.example/fhir/Patient/12"}])
def test_a_report_of_nobody_that_the_server_knows_is_refused(known: dict[str, str]) -> None:
    with client_of(server()) as (client, there):
        with pytest.raises(Refused, match="whose report this is"):
            write_back(client, RESULT, references=known)
        assert there.received == []


def standing_report(**meta: Any) -> dict[str, Any]:
    """The report as another version of it was written there."""
    return marked({**REPORT, "meta": meta, "subject": {"reference": "Patient/12"}, "conclusion": "earlier"})


def test_labels_that_were_put_on_it_there_stay() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    standing = standing_report(versionId="3", security=[label], tag=[{"code": "own-output"}, {"code": "theirs"}])
    with client_of(server(standing=standing), attempts=1) as (client, there), pytest.raises(Unavailable):
        write_back(client, RESULT, references=KNOWN)
    (entry,) = there.received[-1].json["entry"]
    assert entry["request"]["ifMatch"] == 'W/"3"'
    assert entry["resource"]["meta"] == {"security": [label], "tag": [{"code": "own-output"}, {"code": "theirs"}]}


def test_what_stands_without_a_version_is_not_overwritten() -> None:
    standing = standing_report()
    with client_of(server(standing=standing)) as (client, there):
        with pytest.raises(Refused, match="names no version"):
            write_back(client, RESULT, references=KNOWN)
        assert {request.method for request in there.received} == {"GET"}


def test_it_looks_again_before_each_attempt_and_ends() -> None:
    with client_of(server(), attempts=3) as (client, there):
        with pytest.raises(Unavailable):
            write_back(client, RESULT, references=KNOWN)
        sent = [
            request for request in there.received if request.method == "POST" or "/DiagnosticReport/" in request.path
        ]
    assert [request.method for request in sent] == ["GET", "POST"] * 3
    (entry,) = sent[1].json["entry"]
    assert entry["request"] == {"method": "PUT", "url": "DiagnosticReport/r1", "ifNoneMatch": "*"}
    assert entry["resource"]["subject"] == {"reference": "Patient/12"}


@pytest.mark.parametrize(
    ("says", "condition"),
    [
        (statement(software={"name": "HAPI FHIR Server"}), {"ifMatch": 'W/"0"'}),
        (statement(software={"name": "Another"}), {"ifNoneMatch": "*"}),
        (statement(software=["HAPI"]), {"ifNoneMatch": "*"}),
        (reply({}, status=403), {"ifNoneMatch": "*"}),
        (reply({}, status=404), {"ifNoneMatch": "*"}),
    ],
)
def test_it_is_created_only_while_nothing_stands_there(says: Reply, condition: dict[str, str]) -> None:
    with client_of(server(says=says), attempts=1) as (client, there), pytest.raises(Unavailable):
        write_back(client, RESULT, references=KNOWN)
    (entry,) = there.received[-1].json["entry"]
    assert entry["request"] == {"method": "PUT", "url": "DiagnosticReport/r1", **condition}


def test_nothing_is_created_before_the_server_has_said_what_it_is() -> None:
    with client_of(server(says=reply({}, status=503)), attempts=1) as (client, there):
        with pytest.raises(Unavailable):
            write_back(client, RESULT, references=KNOWN)
        assert {request.method for request in there.received} == {"GET"}


def test_a_result_without_a_report_is_an_error_of_the_caller() -> None:
    device = {"resourceType": "Device", "id": "d1"}
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:d1", "resource": device}]}
    with client_of(server()) as (client, _), pytest.raises(ValueError, match="no report"):
        write_back(client, bundle, references={})
