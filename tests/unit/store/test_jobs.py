"""Claim, lease, fence, attempts."""

import threading

import pytest

from store import jobs
from store.database import Database
from store.errors import AlreadyFinished, LeaseLost, NotFound
from store.job_states import Reason, Status
from tests.unit.store.builders import NOW, claim, draft, fail, finish, later, must_claim, one_job


def test_a_job_is_received_then_claimed_once(database: Database) -> None:
    job_id = one_job(database)
    assert jobs.get(database, job_id).status == Status.RECEIVED
    claimed = must_claim(database, job_id)
    assert claimed.attempt == 1
    assert claim(database, job_id, worker="w2") is None
    assert jobs.get(database, job_id).status == Status.IN_PROGRESS
    with pytest.raises(NotFound):
        jobs.get(database, "nothing")
    assert claim(database, "nothing") is None


def test_a_worker_that_slept_cannot_finish_what_another_took_over(database: Database) -> None:
    job_id = one_job(database)
    stale = must_claim(database, job_id, worker="w1")
    fresh = must_claim(database, job_id, worker="w2", now=later(61))
    assert fresh.attempt == 2
    with pytest.raises(LeaseLost):
        finish(database, stale, draft("stale", 1), now=later(62))
    with pytest.raises(LeaseLost):
        jobs.renew(database, stale, now=later(62), lease_seconds=60)
    with pytest.raises(LeaseLost):
        fail(database, stale, now=later(62))
    assert finish(database, fresh, draft("fresh", 1), now=later(62)).report_id == "fresh"


def test_an_expired_lease_is_lost_even_when_nobody_took_over(database: Database) -> None:
    stale = must_claim(database, one_job(database))
    with pytest.raises(LeaseLost):
        finish(database, stale, draft("r", 1), now=later(61))


def test_a_renewed_lease_holds(database: Database) -> None:
    job_id = one_job(database)
    claimed = must_claim(database, job_id)
    jobs.renew(database, claimed, now=later(50), lease_seconds=60)
    assert claim(database, job_id, worker="w2", now=later(70)) is None
    finish(database, claimed, draft("r", 1), now=later(100))


def test_the_jobs_of_one_patient_run_one_at_a_time(database: Database) -> None:
    first, second, third = (one_job(database, raw=raw, now=later(at)) for at, raw in enumerate((b"1", b"2", b"3")))
    other = one_job(database, mrn="2")
    claimed = must_claim(database, first, now=later(3))
    assert claim(database, second, worker="w2", now=later(3)) is None
    assert claim(database, third, worker="w2", now=later(3)) is None
    assert jobs.get(database, second).reason == Reason.WAITING_FOR_PATIENT
    must_claim(database, other, worker="w2", now=later(3))
    finish(database, claimed, draft("r", 1), now=later(4))
    assert jobs.get(database, second).available_at == later(4)
    assert jobs.get(database, third).available_at > later(4)
    must_claim(database, second, now=later(5))


def test_many_threads_and_one_patient_never_work_at_once(database: Database) -> None:
    waiting = [one_job(database, raw=str(number).encode()) for number in range(6)]
    at_work: list[str] = []
    most: list[int] = []
    faults: list[Exception] = []

    def work(name: str) -> None:
        try:
            while waiting_now := [job for job in waiting if not jobs.get(database, job).finished]:
                claimed = claim(database, waiting_now[hash(name) % len(waiting_now)], worker=name)
                if claimed is not None:
                    at_work.append(name)
                    most.append(len(at_work))
                    at_work.remove(name)
                    finish(database, claimed, None)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert max(most) == 1
    assert len(most) == 6


def test_after_five_attempts_a_job_has_failed_and_can_be_retried(database: Database) -> None:
    job_id = one_job(database)
    now = 0.0
    for attempt in range(1, 6):
        claimed = must_claim(database, job_id, now=later(now))
        assert claimed.attempt == attempt
        status = fail(database, claimed, now=later(now))
        waits = (1.0, 5.0, 5.0, 5.0, 0.0)[attempt - 1]
        if attempt < 5:
            assert status == Status.RECEIVED
            assert claim(database, job_id, now=later(now + waits - 0.1)) is None
        now += waits
    failed = jobs.get(database, job_id)
    assert (failed.status, failed.reason, failed.error_type) == ("failed", "attempts-exhausted", "ValueError")
    assert claim(database, job_id, now=later(1000)) is None
    jobs.retry(database, job_id, now=later(1000))
    finish(database, must_claim(database, job_id, now=later(1000)), draft("r", 1), now=later(1001))
    assert jobs.get(database, job_id).error_type is None
    with pytest.raises(AlreadyFinished):
        jobs.retry(database, job_id, now=later(1002))


def test_what_another_attempt_cannot_help_fails_at_once(database: Database) -> None:
    claimed = must_claim(database, one_job(database))
    status = jobs.fail(database, claimed, error_type="NotFound", now=NOW, retry_delays_seconds=(1.0,), again=False)
    assert status == Status.FAILED
    assert jobs.get(database, claimed.job_id).reason == Reason.NOT_RETRYABLE


def test_a_bundle_that_kills_its_workers_fails_after_five_deaths(database: Database) -> None:
    job_id = one_job(database)
    for number in range(5):
        must_claim(database, job_id, worker=f"w{number}", now=later(number * 100))
        jobs.release_expired(database, now=later(number * 100 + 61), limit=10)
    dead = jobs.get(database, job_id)
    assert (dead.status, dead.reason) == (Status.FAILED, Reason.WORKER_LOST)


def test_a_cancelled_job_cannot_be_finished_and_frees_its_patient(database: Database) -> None:
    first, second = one_job(database, raw=b"1"), one_job(database, raw=b"2")
    claimed = must_claim(database, first)
    assert claim(database, second) is None
    assert jobs.cancel(database, first, now=later(1))
    assert not jobs.cancel(database, first, now=later(1))
    with pytest.raises(LeaseLost):
        finish(database, claimed, draft("r", 1), now=later(2))
    must_claim(database, second, now=later(2))
