"""A claim lives as long as its job runs."""

import time
from datetime import UTC, datetime

import pytest

from store import jobs
from store.database import Database
from store.errors import LeaseLost
from tests.unit.store.builders import finish, must_claim, one_job
from workers.lease import KeptLease


def _now() -> datetime:
    return datetime.now(UTC)


def _renew(database: Database, claimed: jobs.Claimed, seconds: float) -> None:
    jobs.renew(database, claimed, now=_now(), lease_seconds=seconds)


def test_long_work_keeps_its_claim(database: Database) -> None:
    job_id = one_job(database, now=_now())
    claimed = must_claim(database, job_id, now=_now(), lease_seconds=0.6)
    with KeptLease(lambda: _renew(database, claimed, 0.6), lease_seconds=0.6):
        time.sleep(1.2)
        assert jobs.claim(database, job_id, worker="w2", now=_now(), lease_seconds=1) is None
        finish(database, claimed, None, now=_now())


def test_without_renewal_the_claim_ends(database: Database) -> None:
    claimed = must_claim(database, one_job(database, now=_now()), now=_now(), lease_seconds=0.1)
    time.sleep(0.2)
    with pytest.raises(LeaseLost):
        finish(database, claimed, None, now=_now())


def test_a_lost_lease_is_not_fought_for(database: Database) -> None:
    job_id = one_job(database, now=_now())
    claimed = must_claim(database, job_id, now=_now(), lease_seconds=0.3)
    with KeptLease(lambda: _renew(database, claimed, 0.3), lease_seconds=0.3):
        jobs.cancel(database, job_id, now=_now())
        time.sleep(0.3)
    assert jobs.get(database, job_id).status == "cancelled"
