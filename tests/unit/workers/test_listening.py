"""What is new on an EHR brings its patient here: whoever else cannot be read, and however long the EHR is away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ehr.keys import new_key, write_keys
from store import intake, jobs
from store.database import Database, open_database
from store.errors import Busy
from store.fetched import withheld_of
from store.jobs import Job
from store.queue import Queue
from store.schema import upgrade
from store.tables import jobs as job_rows
from tests.servers.loopback import HANG_UP, Reply, reply
from tests.unit.workers.ehr_server import DELAYS, NAME, POLL_SECONDS, Errands, errands_of

AWAY = reply({}, status=503)
FORBIDDEN = reply({}, status=403)


@pytest.fixture
def errands(database: Database, queue: Queue) -> Iterator[Errands]:
    with errands_of(database, queue) as running:
        yield running


def every_job(errands: Errands) -> list[Job]:
    """The jobs, oldest first."""
    with errands.parts.database.read() as connection:
        ids = connection.scalars(sa.select(job_rows.c.id).order_by(job_rows.c.created_at, job_rows.c.id)).all()
    return [jobs.get(errands.parts.database, one) for one in ids]


def only_job(errands: Errands) -> Job:
    (job,) = every_job(errands)
    return job


def fail_to_fetch(errands: Errands, *, times: int) -> None:
    for _ in range(times):
        assert errands.fetch()
        errands.wait(DELAYS[-1])


def test_a_patient_who_is_new_on_the_ehr_is_fetched_and_correlated(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    job = only_job(errands)
    assert (job.status, job.reason, job.source) == ("received", "waiting-for-ehr", NAME)
    assert errands.fetch()
    errands.correlate(job.id)
    assert only_job(errands).reason == "report-written"
    assert errands.listen()
    assert len(every_job(errands)) == 1


@pytest.mark.parametrize("answer", [FORBIDDEN, reply({"resourceType": "Observation"}), reply({}, status=404)])
def test_a_patient_who_cannot_be_read_does_not_stop_the_news_of_others(errands: Errands, answer: object) -> None:
    errands.add_patient("1")
    errands.add_patient("2")
    errands.answers["Patient/1"] = answer  # type: ignore[assignment]
    assert errands.listen()
    assert len(every_job(errands)) == 1
    assert errands.fetch()


def test_a_patient_who_cannot_be_read_for_the_moment_is_heard_of_again_and_stops_nobody(errands: Errands) -> None:
    errands.add_patient("1")
    errands.add_patient("2")
    errands.answers["Patient/1"] = AWAY
    assert errands.listen()
    assert len(every_job(errands)) == 1
    for later in range(3, 10):  # time goes by, and others come
        errands.add_patient(str(later))
        assert errands.listen()
    errands.answers.clear()
    assert errands.listen()
    assert len(every_job(errands)) == 9
    assert errands.listen()
    assert len(every_job(errands)) == 9


@pytest.mark.parametrize("updated", ["2999-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_is_still_to_come_silences_no_ehr(errands: Errands, updated: str) -> None:
    errands.add("Observation", "1", updated=updated, subject={"reference": "Patient/nobody"})
    assert errands.listen()
    for id_ in ("1", "2"):
        errands.wait(3600)
        errands.add_patient(id_)
        assert errands.listen()
    assert len(every_job(errands)) == 2


def test_a_patient_who_comes_while_the_record_is_busy_is_heard_of_again(tmp_path: Path, queue: Queue) -> None:
    file = tmp_path / "record.sqlite3"
    database = open_database(f"sqlite:///{file}", busy_timeout_seconds=0.1)
    upgrade(database)
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    with errands_of(database, queue) as errands:
        errands.add_patient("1")
        errands.told = lambda path: other.execute("BEGIN IMMEDIATE") if path == "Patient/1" else None
        with pytest.raises(Busy):
            errands.listen()
        other.close()
        errands.told = lambda path: None
        assert errands.listen()
        assert only_job(errands).reason == "waiting-for-ehr"
    database.close()


def test_subscriptions_are_made_also_where_former_ones_cannot_be_looked_for(database: Database, queue: Queue) -> None:
    made = reply({"resourceType": "Bundle", "type": "transaction-response", "entry": []})
    with errands_of(
        database,
        queue,
        answers=lambda _: {"/fhir": made, "Subscription?": FORBIDDEN},
        notify_url="https://us.example",
        notify_secret="a-secret-of-more-than-22-letters",
    ) as errands:
        sent = [request.json["entry"] for request in errands.server.received if request.method == "POST"]
        assert [[entry["request"]["method"] for entry in entries] for entries in sent] == [["PUT"] * 4]
        assert errands.listen()  # not due again for ten minutes
        assert len([request for request in errands.server.received if request.method == "POST"]) == 1


def test_a_fetch_that_failed_while_the_ehr_was_away_is_begun_again_when_it_answers(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    errands.answers[""] = HANG_UP
    fail_to_fetch(errands, times=5)
    assert (only_job(errands).status, only_job(errands).error_type) == ("failed", "Unavailable")
    assert errands.listen()  # it is still away
    assert only_job(errands).status == "failed"
    errands.answers.clear()
    assert errands.listen()
    assert only_job(errands).status == "received"
    assert errands.fetch()
    assert only_job(errands).reason == "waiting-for-worker"


def test_a_fetch_that_was_not_permitted_is_begun_again_now_and_then(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    errands.answers["Patient/1"] = FORBIDDEN
    assert errands.fetch()
    begun = 0
    for _ in range(2 * 48):  # two days, by half hours
        errands.wait(1800 - POLL_SECONDS - 1)
        assert errands.listen()
        if errands.fetch():
            begun += 1
            assert (only_job(errands).status, only_job(errands).error_type) == ("failed", "NotPermitted")
    assert begun == 6  # after 1, 2, 4, 8, 16 and 32 hours
    errands.answers.clear()
    errands.wait(24 * 3600)
    assert errands.listen()
    assert errands.fetch()
    assert only_job(errands).reason == "waiting-for-worker"


def test_a_fetch_that_was_refused_for_another_reason_is_not_begun_again(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    errands.answers["Patient/1"] = reply({}, status=404)
    assert errands.fetch()
    errands.wait(7 * 24 * 3600)
    assert errands.listen()
    assert (only_job(errands).status, only_job(errands).error_type) == ("failed", "NotThere")


def short_tokens(errands: Errands) -> dict[str, Reply]:
    """The EHR gives tokens itself, which are good for one request."""
    return {
        ".well-known/smart-configuration": reply({"token_endpoint": f"{errands.server.base_url}/token"}),
        "/token": reply({"access_token": "a", "token_type": "bearer", "expires_in": 0}),
    }


def test_a_fetch_without_a_token_is_begun_again_when_the_ehr_gives_one(
    database: Database, queue: Queue, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, [new_key("ES384")])
    with errands_of(database, queue, answers=short_tokens, client_ids=(f"{NAME}=us",), key_set=keys) as errands:
        errands.add_patient("1")
        assert errands.listen()
        errands.answers["/token"] = reply({}, status=404)
        assert errands.fetch()
        assert (only_job(errands).status, only_job(errands).error_type) == ("failed", "NoToken")
        assert errands.listen()  # there is none for listening, either
        assert only_job(errands).status == "failed"
        errands.answers = short_tokens(errands)
        assert errands.listen()
        assert errands.fetch()
        assert only_job(errands).reason == "waiting-for-worker"


def test_a_type_that_fails_for_the_moment_is_asked_for_again_before_a_report_says_so(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    errands.answers["Condition?"] = AWAY
    fail_to_fetch(errands, times=4)
    job = only_job(errands)
    assert (job.reason, job.attempts) == ("waiting-for-retry", 4)
    errands.answers.clear()
    assert errands.fetch()
    assert only_job(errands).reason == "waiting-for-worker"
    assert withheld_of(errands.parts.database, job.patient_id) == ()


def test_a_type_that_fails_to_the_last_attempt_is_named(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    errands.answers["Condition?"] = AWAY
    fail_to_fetch(errands, times=5)
    job = only_job(errands)
    assert job.reason == "waiting-for-worker"
    assert [one.data for one in withheld_of(errands.parts.database, job.patient_id)] == ["conditions"]


def test_whoever_asks_themselves_is_answered_at_once(errands: Errands) -> None:
    errands.add_patient("1")
    assert errands.listen()
    assert errands.fetch()
    errands.answers["Condition?"] = AWAY
    patient_id = only_job(errands).patient_id
    asked = intake.request(
        errands.parts.database, patient_id=patient_id, caller_id="clinic", now=errands.now, source=NAME
    )
    assert errands.fetch()
    assert jobs.get(errands.parts.database, asked.jobs[0].job_id).reason == "waiting-for-worker"
    assert [one.because for one in withheld_of(errands.parts.database, patient_id)] == ["not-fetched"]
