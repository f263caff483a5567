"""The story of one job, with the real mappings, engine and knowledge."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from correlation.knowledge_base import load_knowledge
from store import jobs, report_search, reports
from store.database import Database
from store.queue import Queue
from store.reports import ReportResource
from store.settings import StoreSettings
from store.tables import resource_versions
from tests.replay.records import send
from tests.unit.store.builders import claim
from workers.jobs import Parts, correlate, correlate_patient, set_up

CASES = Path(__file__).parents[2] / "examples" / "cases"
NOW = datetime(2025, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def parts(database: Database, queue: Queue) -> Parts:
    return Parts(
        database=database,
        queue=queue,
        knowledge=load_knowledge(),
        clock=lambda: NOW,
        settings=StoreSettings(),
        software_version="0.1.0",
        worker="w1",
    )


def _bundle(case: str, *, without: frozenset[str] = frozenset()) -> bytes:
    read = json.loads((CASES / f"{case}.bundle.json").read_bytes())
    read["entry"] = [entry for entry in read["entry"] if entry["resource"]["resourceType"] not in without]
    return json.dumps(read).encode()


def test_a_stored_report_carries_the_strictest_label_of_its_inputs(parts: Parts) -> None:
    confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    record = json.loads(_bundle("V01"))
    for entry, code in zip(record["entry"], ("N", "R"), strict=False):
        entry["resource"]["meta"] = {"security": [{"system": confidentiality, "code": code}]}
    job_id, _ = send(parts.database, json.dumps(record).encode(), now=NOW)
    correlate(job_id, parts=parts)
    report = report_search.read(parts.database, jobs.get(parts.database, job_id).report_id or "")
    for resource in report.resources:
        if resource.type in ("DiagnosticReport", "Observation"):
            assert json.loads(resource.content)["meta"]["security"] == [{"system": confidentiality, "code": "R"}]


def test_the_published_case_becomes_one_report(parts: Parts) -> None:
    job_id, patient_id = send(parts.database, _bundle("V01"), now=NOW)
    correlate(job_id, parts=parts)
    job = jobs.get(parts.database, job_id)
    assert (job.status, job.reason, job.error_type) == ("completed", "report-written", None)
    report = report_search.read(parts.database, job.report_id or "")
    first = json.loads(report.resources[0].content)
    assert (first["resourceType"], first["id"], first["status"]) == ("DiagnosticReport", report.id, "preliminary")
    assert first["subject"]["reference"] == f"Patient/{patient_id}"
    correlate(job_id, parts=parts)
    assert len(report_search.history(parts.database, report.id)) == 1


def test_the_same_facts_again_make_no_version(parts: Parts) -> None:
    for _ in range(2):
        job_id, patient_id = send(parts.database, _bundle("V01"), now=NOW)
        correlate(job_id, parts=replace(parts, clock=lambda: NOW + timedelta(days=1)))
    assert jobs.get(parts.database, job_id).reason == "report-unchanged"
    assert [report.version for report in report_search.search(parts.database, patient_id=patient_id)] == [1]


def test_without_imaging_there_is_no_report_but_a_word_about_it(parts: Parts) -> None:
    imaging = frozenset({"ImagingStudy", "DiagnosticReport", "Observation"})
    job_id, patient_id = send(parts.database, _bundle("V01", without=imaging), now=NOW)
    correlate(job_id, parts=parts)
    job = jobs.get(parts.database, job_id)
    assert (job.status, job.reason, job.report_id) == ("completed", "no-report", None)
    assert json.loads(job.outcome or b"")["resourceType"] == "OperationOutcome"
    again, same_patient = send(parts.database, _bundle("V01"), now=NOW)
    correlate(again, parts=parts)
    assert same_patient == patient_id
    assert jobs.get(parts.database, again).report_version == 1


@pytest.mark.requirement("DR-01")
def test_new_facts_amend_a_signed_report(parts: Parts) -> None:
    job_id, patient_id = send(parts.database, _bundle("V01", without=frozenset({"Procedure"})), now=NOW)
    correlate(job_id, parts=parts)
    report_id = jobs.get(parts.database, job_id).report_id or ""
    signed = (ReportResource(type="DiagnosticReport", id=report_id, content=b"{}"),)
    reports.sign(parts.database, report_id, expected_version=1, resources=signed, caller_id="dr", now=NOW)
    again, _ = send(parts.database, _bundle("V01"), now=NOW)
    correlate(again, parts=parts)
    newest = report_search.read(parts.database, report_id)
    assert (newest.version, newest.status) == (3, "amended")
    assert "after signature" in json.loads(newest.resources[0].content)["conclusion"]
    assert len(report_search.search(parts.database, patient_id=patient_id)) == 1


def test_a_withdrawn_report_is_followed_by_one_that_names_it(parts: Parts) -> None:
    job_id, patient_id = send(parts.database, _bundle("V01"), now=NOW)
    correlate(job_id, parts=parts)
    old = jobs.get(parts.database, job_id).report_id or ""
    withdrawn = (ReportResource(type="DiagnosticReport", id=old, content=b"{}"),)
    reports.withdraw(parts.database, old, expected_version=1, resources=withdrawn, caller_id="dr", now=NOW)
    again, _ = send(parts.database, _bundle("V01"), now=NOW)
    correlate(again, parts=parts)
    new = jobs.get(parts.database, again).report_id or ""
    assert report_search.read(parts.database, new).revision_of == old
    found = report_search.search_resources(parts.database, "Provenance", patient_id=patient_id)
    assert any(old.encode() in one.content for one in found)


def test_an_error_is_kept_by_its_name(parts: Parts) -> None:
    job_id, patient_id = send(parts.database, _bundle("V01"), now=NOW)
    damaged = sa.update(resource_versions).values(content=b"{CANARY")
    with parts.database.write() as connection:
        connection.execute(damaged)
    correlate(job_id, parts=parts)
    job = jobs.get(parts.database, job_id)
    assert (job.status, job.reason, job.attempts) == ("received", "waiting-for-retry", 1)
    assert job.error_type
    assert "CANARY" not in repr(job)
    assert report_search.search(parts.database, patient_id=patient_id) == []


def test_what_another_worker_has_is_left_alone(parts: Parts) -> None:
    job_id, _ = send(parts.database, _bundle("V01"), now=NOW)
    assert claim(parts.database, job_id, worker="w2", now=NOW) is not None
    correlate(job_id, parts=parts)
    assert jobs.get(parts.database, job_id).status == "in-progress"


def test_the_entry_that_rq_calls_finds_what_it_was_given(parts: Parts) -> None:
    set_up(parts)
    job_id, _ = send(parts.database, _bundle("V01"), now=NOW)
    correlate_patient(job_id)
    assert jobs.get(parts.database, job_id).finished
