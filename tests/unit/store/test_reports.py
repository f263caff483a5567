"""One living report per patient, every version for ever."""

import threading

import pytest

from store import jobs, report_search, reports
from store.database import Database
from store.errors import AlreadyFinished, Busy, NotFound, VersionConflict
from store.job_states import Reason
from store.reports import ReportResource
from tests.unit.store.builders import draft, finish, later, must_claim, one_job

SIGNED = (ReportResource(type="DiagnosticReport", id="r", content=b"signed"),)


def _first(database: Database) -> str:
    job_id = one_job(database)
    finish(database, must_claim(database, job_id), draft("r", 1))
    return jobs.get(database, job_id).patient_id


def test_report_and_completed_are_written_together(database: Database) -> None:
    job_id = one_job(database)
    finish(database, must_claim(database, job_id), draft("r", 1), outcome=b"{}")
    job = jobs.get(database, job_id)
    assert (job.status, job.reason, job.report_id, job.report_version) == ("completed", "report-written", "r", 1)
    assert job.outcome == b"{}"
    report = report_search.read(database, "r")
    assert [resource.type for resource in report.resources] == ["DiagnosticReport", "Observation"]


def test_a_report_that_cannot_be_written_leaves_the_job_unfinished(database: Database) -> None:
    _first(database)
    job_id = one_job(database, raw=b"2")
    claimed = must_claim(database, job_id)
    for wrong in (draft("another", 1, digest="d2"), draft("r", 3, digest="d2"), draft("r", 1, digest="d2")):
        with pytest.raises(Busy):
            finish(database, claimed, wrong)
    assert jobs.get(database, job_id).status == "in-progress"
    assert len(report_search.history(database, "r")) == 1


def test_equal_content_makes_no_version_and_new_content_does(database: Database) -> None:
    patient_id = _first(database)
    same = finish(database, must_claim(database, one_job(database, raw=b"2")), draft("r", 2))
    assert (same.report_id, same.version, same.changed) == ("r", 1, False)
    other = finish(database, must_claim(database, one_job(database, raw=b"3")), draft("r", 2, digest="d2"))
    assert other.version == 2
    assert [one.version for one in report_search.history(database, "r")] == [2, 1]
    assert report_search.read(database, "r", version=1).resources[0].content == b"report 1"
    assert report_search.read_resource(database, "Observation", "r-o").content == b"observation 2"
    assert report_search.read_resource(database, "Observation", "r-o", version=1).content == b"observation 1"
    assert [one.version for one in report_search.search(database, patient_id=patient_id)] == [2]
    found = report_search.search_resources(database, "Observation", patient_id=patient_id)
    assert [one.content for one in found] == [b"observation 2"]


def test_no_imaging_completes_the_job_without_a_report(database: Database) -> None:
    job_id = one_job(database)
    finish(database, must_claim(database, job_id), None, outcome=b"what is missing")
    job = jobs.get(database, job_id)
    assert (job.reason, job.report_id, job.outcome) == (Reason.NO_REPORT, None, b"what is missing")
    assert report_search.search(database, patient_id=job.patient_id) == []


@pytest.mark.requirement("DR-01")
def test_signing_needs_the_current_version(database: Database) -> None:
    patient_id = _first(database)
    with pytest.raises(VersionConflict) as stale:
        reports.sign(database, "r", expected_version=2, resources=SIGNED, caller_id="dr", now=later(1))
    assert stale.value.current == 1
    assert reports.sign(database, "r", expected_version=1, resources=SIGNED, caller_id="dr", now=later(1)) == 2
    living = reports.living(database, patient_id)
    assert living is not None
    assert (living.status, living.signed_at) == ("final", later(1))
    assert [one.id for one in report_search.search(database, statuses=["final"])] == ["r"]
    with pytest.raises(NotFound):
        reports.sign(database, "x", expected_version=1, resources=SIGNED, caller_id="dr", now=later(1))


def test_signed_and_unchanged_stays_signed_and_changed_is_amended(database: Database) -> None:
    _first(database)
    reports.sign(database, "r", expected_version=1, resources=SIGNED, caller_id="dr", now=later(1))
    same = finish(database, must_claim(database, one_job(database, raw=b"2")), draft("r", 3, status="amended"))
    assert not same.changed
    finish(database, must_claim(database, one_job(database, raw=b"3")), draft("r", 3, digest="d2", status="amended"))
    assert [one.status for one in report_search.history(database, "r")] == ["amended", "final", "preliminary"]


def test_a_withdrawn_report_stays_readable_and_a_new_one_names_it(database: Database) -> None:
    patient_id = _first(database)
    reports.withdraw(database, "r", expected_version=1, resources=SIGNED, caller_id="dr", now=later(1))
    assert reports.living(database, patient_id) is None
    assert reports.standing(database, patient_id).withdrawn_id == "r"
    with pytest.raises(AlreadyFinished):
        reports.sign(database, "r", expected_version=2, resources=SIGNED, caller_id="dr", now=later(2))
    finish(database, must_claim(database, one_job(database, raw=b"2")), draft("r2", 1, revision_of="r"))
    found = report_search.search(database, patient_id=patient_id)
    assert {(one.id, one.status, one.living, one.revision_of) for one in found} == {
        ("r", "entered-in-error", False, None),
        ("r2", "preliminary", True, "r"),
    }


def test_concurrent_finishes_leave_one_living_report(database: Database) -> None:
    """Two claims on one patient cannot be had; two leases that overlap by a clock gone wrong can."""
    first, second = one_job(database, raw=b"1"), one_job(database, raw=b"2")
    one = must_claim(database, first, worker="w1", lease_seconds=10)
    two = must_claim(database, second, worker="w2", now=later(11))
    start = threading.Barrier(2)
    results: list[str] = []

    def end(claimed: jobs.Claimed, report_id: str) -> None:
        start.wait()
        try:
            finish(database, claimed, draft(report_id, 1), now=later(5))
        except Busy:
            results.append("busy")
        else:
            results.append("done")

    threads = [threading.Thread(target=end, args=(one, "a")), threading.Thread(target=end, args=(two, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    patient_id = jobs.get(database, first).patient_id
    assert len(report_search.search(database, patient_id=patient_id)) == 1
    assert "done" in results
