"""`fillertrace replay` over records that a worker wrote, on both databases: identical, or which answer moved."""

import argparse
import json
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from cli.replay import VERB
from correlation.knowledge_base import pack, read_knowledge
from store import knowledge_editions, reports
from store.reports import ReportResource
from store.tables import report_resources, report_versions
from tests.examples import CASE_IDS, case_bytes
from tests.replay.conftest import NOW, Clinic
from tests.replay.records import as_bytes, changed_files, record
from tests.servers.service import Service
from tests.unit.cli.command import fillertrace

CAHA = "causes/filler_caha.toml"


def _replay(url: str, *asked: str) -> int:
    parser = argparse.ArgumentParser()
    VERB.add_arguments(parser)
    return VERB.run(parser.parse_args(asked), {"FILLERTRACE_DATABASE_URL": url})


def test_a_report_is_replayed_identically(clinic: Clinic, empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    report_id, _ = clinic.report(case_bytes("V01"))
    assert _replay(empty_url, report_id) == 0
    said = capsys.readouterr().out
    assert "identical: " in said
    assert "byte for byte" in said
    assert (
        _replay(empty_url, f"http://us/fhir/DiagnosticReport/{report_id}/_history/1", "--with-current-knowledge") == 0
    )
    assert "no answer moves" in capsys.readouterr().out


def test_every_public_case_is_replayed_identically(clinic: Clinic, empty_url: str) -> None:
    # The engine of the database does not matter to a case: all on one, some on the other.
    for case_id in CASE_IDS if clinic.database.is_sqlite else CASE_IDS[::8]:
        report_id, version = clinic.report(case_bytes(case_id))
        assert _replay(empty_url, report_id, "--version", str(version)) == 0, case_id


def test_a_changed_rule_shows_the_answer_it_moves(
    clinic: Clinic, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = changed_files(CAHA, 'yes = "strong for"', 'yes = "supporting for"', edition="2001.1")
    old = read_knowledge(files)
    knowledge_editions.keep(clinic.database, old.digest, edition=old.edition, files=pack(files), now=NOW)
    report_id, _ = clinic.report(case_bytes("V01"), knowledge=old)
    assert _replay(empty_url, report_id) == 0
    assert "edition 2001.1" in capsys.readouterr().out
    assert _replay(empty_url, report_id, "--with-current-knowledge") == 1
    said = capsys.readouterr().out
    assert "byte for byte" in said
    rows = [line for line in said.splitlines() if "filler_caha" in line]
    assert any("yes, supporting-for" in row and "yes, strong-for" in row for row in rows)


def test_an_answer_stored_otherwise_is_found(
    clinic: Clinic, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if other software had written it: the stored attribution says something else than the rules do."""
    report_id, _ = clinic.report(case_bytes("V01"))
    with clinic.database.write() as connection:
        for row in connection.execute(sa.select(report_resources).where(report_resources.c.type == "Observation")):
            content = json.loads(row.content)
            if content["code"]["coding"][0]["code"] == "filler-attribution":
                content["valueCodeableConcept"]["coding"][0]["code"] = "not-explained"
                same = (report_resources.c.id == row.id) & (report_resources.c.report_id == report_id)
                connection.execute(sa.update(report_resources).where(same).values(content=as_bytes(content)))
    assert _replay(empty_url, report_id) == 1
    rows = capsys.readouterr().out.splitlines()
    assert any("the patient" in row and "not-explained" in row and "explained" in row for row in rows)


def test_later_and_withdrawn_inputs_leave_the_earlier_version_as_it_was(clinic: Clinic, empty_url: str) -> None:
    sent = record("V01")
    report_id, _ = clinic.report(as_bytes(sent))
    for entry in sent["entry"]:
        if entry["resource"]["resourceType"] == "Procedure":
            entry["resource"]["status"] = "entered-in-error"
    clinic.report(as_bytes(sent))
    for version in ("1", "2"):
        assert _replay(empty_url, report_id, "--version", version) == 0


def test_a_signed_version_replays_the_one_it_rests_on(
    clinic: Clinic, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report_id, _ = clinic.report(case_bytes("V01"))
    signed = (ReportResource(type="DiagnosticReport", id=report_id, content=b"{}"),)
    reports.sign(clinic.database, report_id, expected_version=1, resources=signed, caller_id="dr", now=NOW)
    assert _replay(empty_url, report_id) == 0
    assert "it rests on version 1" in capsys.readouterr().out


def test_what_cannot_be_replayed_says_why(
    clinic: Clinic, empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report_id, _ = clinic.report(case_bytes("V01"))
    assert _replay(empty_url, "nobody") == 3
    assert "no report nobody" in capsys.readouterr().err
    assert _replay(empty_url, report_id, "--version", "7") == 3
    with clinic.database.write() as connection:
        connection.execute(sa.update(report_versions).values(basis=None))
    assert _replay(empty_url, report_id) == 3
    assert "did not record" in capsys.readouterr().err
    parser = argparse.ArgumentParser()
    VERB.add_arguments(parser)
    assert VERB.run(parser.parse_args(["x", "--data", str(tmp_path / "nothing")]), {}) == 2
    assert not (tmp_path / "nothing").exists()


def test_the_record_of_an_older_release_is_left_as_it_is(empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _replay(empty_url, "nobody") == 1
    assert "older release" in capsys.readouterr().err


def test_the_folder_of_serve_is_replayed_while_it_serves(tmp_path: Path) -> None:
    with Service("serve", "--port", "0", "--data", "kept", folder=tmp_path) as service:
        headers = {"Content-Type": "application/fhir+json", "Prefer": "wait=60"}
        answer = httpx.post(f"{service.base_url}/$correlate", content=case_bytes("V01"), headers=headers, timeout=90)
        assert answer.status_code == 200, answer.text
        report_id = answer.json()["entry"][0]["resource"]["id"]
        done = fillertrace("replay", report_id, "--data", "kept", "--with-current-knowledge", folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert b"identical" in done.stdout
        log = service.log.read_text()
    assert "explained" not in log
