"""The same thing twice: contract, section 2."""

import pytest

from store import jobs
from store.database import Database
from store.errors import KeyReused
from store.incoming import Received
from tests.unit.store.builders import claim, draft, finish, later, must_claim, one_job, person, receive

DAY = 86400


def _send(database: Database, **how: object) -> Received:
    return receive(database, person(mrn="1"), **how)  # type: ignore[arg-type]


def test_the_same_key_and_body_give_the_same_job(database: Database) -> None:
    first = _send(database, key="k", raw=b"a")
    again = _send(database, key="k", raw=b"a", now=later(2 * DAY))
    assert again.repeated
    assert (again.submission_id, again.jobs, again.entries) == (first.submission_id, first.jobs, first.entries)


def test_the_same_key_with_another_body_is_refused(database: Database) -> None:
    first = _send(database, key="k", raw=b"a")
    with pytest.raises(KeyReused) as refused:
        _send(database, key="k", raw=b"b")
    assert refused.value.submission_id == first.submission_id
    assert not _send(database, key="k", raw=b"b", caller="someone else").repeated


def test_a_transaction_without_key_is_never_a_repeat(database: Database) -> None:
    _send(database, raw=b"a")
    assert not _send(database, raw=b"a").repeated


def test_a_correlate_body_repeats_for_a_day_and_for_its_caller(database: Database) -> None:
    first = _send(database, raw=b"a", kind="correlate")
    assert _send(database, raw=b"a", kind="correlate", now=later(DAY - 1)).jobs == first.jobs
    assert not _send(database, raw=b"a", kind="correlate", caller="another").repeated
    assert not _send(database, raw=b"a", kind="correlate", now=later(DAY)).repeated
    assert not _send(database, raw=b"b", kind="correlate").repeated


def test_a_correlate_body_whose_job_was_cancelled_is_tried_again(database: Database) -> None:
    first = _send(database, raw=b"a", kind="correlate")
    jobs.cancel(database, first.jobs[0].job_id, now=later(1))
    assert not _send(database, raw=b"a", kind="correlate").repeated


def test_a_finished_job_is_not_claimed_again(database: Database) -> None:
    job_id = one_job(database)
    finish(database, must_claim(database, job_id), draft("r", 1))
    assert claim(database, job_id) is None
