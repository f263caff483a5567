"""A job that fetches first: claimed by one, kept whole or not at all, and no queue sees it before."""

from dataclasses import replace

import pytest

from store import audit, intake, jobs, outbox, resources
from store.database import Database
from store.errors import LeaseLost, PatientConflict
from store.fetched import Fetched, KeptWithheld, keep_fetched, withheld_of
from store.incoming import Deletion
from store.job_states import Reason, Status
from store.jobs import Claimed
from store.queue import Queue
from tests.unit.store.builders import NOW, claim, draft, fail, finish, later, person, receive, resource, rewrite

EHR = "https://ehr.example/fhir"
AT_EHR = f"{EHR}/Patient/1"
NOT_SEEN = KeptWithheld(data="conditions", because="not-permitted")


def ask(database: Database, *, mrn: str = "1") -> tuple[str, str]:
    """Job and patient of a request to fetch from an EHR."""
    known = receive(database, person(mrn=mrn, url=AT_EHR))
    finish(database, jobs_claimed(database, known.jobs[0].job_id), None)
    asked = intake.request(database, patient_id=known.jobs[0].patient_id, caller_id="clinic", now=NOW, source="main")
    return asked.jobs[0].job_id, asked.jobs[0].patient_id


def jobs_claimed(database: Database, job_id: str) -> Claimed:
    claimed = claim(database, job_id)
    assert claimed is not None
    return claimed


def must_fetch(database: Database, *, worker: str = "w1", at: float = 0) -> Claimed:
    claimed = jobs.claim_fetch(database, worker=worker, now=later(at), lease_seconds=60)
    assert claimed is not None
    return claimed


def given(*found: object, deletions: tuple[Deletion, ...] = (), withheld: tuple[KeptWithheld, ...] = ()) -> Fetched:
    group = person(*found, url=AT_EHR)  # type: ignore[arg-type]
    return Fetched(server="main", sha256="s", groups=(group,), deletions=deletions, withheld=withheld)


def test_no_worker_correlates_before_the_record_was_fetched(database: Database, queue: Queue) -> None:
    job_id, patient_id = ask(database)
    assert jobs.get(database, job_id).reason == Reason.WAITING_FOR_EHR
    assert claim(database, job_id) is None
    outbox.bring_next(database, queue, patient_id, now=later(1))
    assert outbox.relay_once(database, queue, now=later(1)).enqueued == 0
    keep_fetched(database, must_fetch(database), given(resource("Observation", "new")), rewrite=rewrite, now=NOW)
    assert jobs.get(database, job_id).reason == Reason.WAITING_FOR_WORKER
    assert outbox.relay_once(database, queue, now=later(1)).enqueued == 1
    assert claim(database, job_id) is not None


def test_one_worker_fetches_and_a_lost_one_is_followed_by_another(database: Database) -> None:
    job_id, _ = ask(database)
    first = must_fetch(database)
    assert jobs.get(database, job_id).reason == Reason.FETCHING
    assert jobs.claim_fetch(database, worker="w2", now=later(1), lease_seconds=60) is None
    jobs.release_expired(database, now=later(61), limit=10)
    assert jobs.get(database, job_id).reason == Reason.WAITING_FOR_EHR
    second = must_fetch(database, worker="w2", at=62)
    with pytest.raises(LeaseLost):
        keep_fetched(database, first, given(resource("Observation", "late")), rewrite=rewrite, now=later(63))
    keep_fetched(database, second, given(), rewrite=rewrite, now=later(63))


def test_a_fetch_that_fails_waits_and_comes_again(database: Database) -> None:
    job_id, _ = ask(database)
    assert fail(database, must_fetch(database), now=NOW) == Status.RECEIVED
    assert jobs.claim_fetch(database, worker="w1", now=NOW, lease_seconds=60) is None
    assert must_fetch(database, at=2).attempt == 2
    jobs.release_expired(database, now=later(100), limit=10)
    keep_fetched(database, must_fetch(database, at=101), given(), rewrite=rewrite, now=later(102))
    assert jobs.get(database, job_id).attempts == 0


def test_a_retry_fetches_again(database: Database) -> None:
    job_id, _ = ask(database)
    keep_fetched(database, must_fetch(database), given(), rewrite=rewrite, now=NOW)
    claimed = jobs_claimed(database, job_id)
    jobs.fail(database, claimed, error_type="X", now=NOW, retry_delays_seconds=(1,), again=False)
    jobs.retry(database, job_id, now=later(5))
    assert claim(database, job_id, now=later(5)) is None
    assert must_fetch(database, at=5).job_id == job_id


def test_other_jobs_of_the_patient_go_on_while_the_ehr_is_asked(database: Database) -> None:
    ask(database)
    must_fetch(database)
    posted = receive(database, person(mrn="1"), raw=b"2")
    assert claim(database, posted.jobs[0].job_id, worker="w2") is not None


def test_what_the_ehr_has_no_longer_is_deleted(database: Database) -> None:
    _, patient_id = ask(database)
    url = f"{EHR}/Observation/1"
    keep_fetched(
        database,
        must_fetch(database),
        given(resource("Observation", "one", url=url), resource("Observation", "two", url=f"{EHR}/Observation/2")),
        rewrite=rewrite,
        now=NOW,
    )
    gone = next(one for one in resources.of_patient(database, patient_id) if one.source_url == url)
    intake.request(database, patient_id=patient_id, caller_id="clinic", now=NOW, source="main")
    deletion = Deletion(type="Observation", id=gone.id)
    keep_fetched(database, must_fetch(database), given(deletions=(deletion,)), rewrite=rewrite, now=NOW)
    assert [one.source_url for one in resources.of_patient(database, patient_id)] == [f"{EHR}/Observation/2"]


def test_what_could_not_be_seen_is_kept_until_it_is_seen(database: Database) -> None:
    _, patient_id = ask(database)
    keep_fetched(database, must_fetch(database), given(withheld=(NOT_SEEN, NOT_SEEN)), rewrite=rewrite, now=NOW)
    assert withheld_of(database, patient_id) == (NOT_SEEN,)
    intake.request(database, patient_id=patient_id, caller_id="clinic", now=NOW, source="main")
    keep_fetched(database, must_fetch(database), given(), rewrite=rewrite, now=NOW)
    assert withheld_of(database, patient_id) == ()


def test_what_is_of_somebody_else_is_not_taken_in(database: Database) -> None:
    job_id, patient_id = ask(database)
    other = receive(database, person(mrn="2"))
    group = person(resource("Observation", "theirs"), mrn="2")
    wrong = Fetched(server="main", sha256="s", groups=(group,))
    with pytest.raises(PatientConflict):
        keep_fetched(database, must_fetch(database), wrong, rewrite=rewrite, now=NOW)
    assert resources.of_patient(database, other.jobs[0].patient_id) == []
    assert jobs.get(database, job_id).reason == Reason.FETCHING
    assert withheld_of(database, patient_id) == ()


def test_who_else_is_concerned_has_a_job_of_their_own(database: Database) -> None:
    device = resource("Device", "shared", url=f"{EHR}/Device/1", entry_index=7)
    others = receive(database, person(device, mrn="2"), person(device, mrn="3", key="Patient/2"))
    ask(database)
    changed = resource("Device", "recalled", url=f"{EHR}/Device/1", entry_index=7)
    found = replace(given(), loose=(changed,))
    started = keep_fetched(database, must_fetch(database), found, rewrite=rewrite, now=NOW)
    assert {job.patient_id for job in started} == {job.patient_id for job in others.jobs}


def test_the_audit_says_from_where_it_came(database: Database) -> None:
    _, patient_id = ask(database)
    keep_fetched(database, must_fetch(database), given(resource("Observation", "x")), rewrite=rewrite, now=NOW)
    assert ("ehr:main", "fetch") in {(one.caller_id, one.action) for one in audit.of_patient(database, patient_id)}


def test_a_report_is_made_of_what_was_fetched(database: Database) -> None:
    job_id, _ = ask(database)
    keep_fetched(database, must_fetch(database), given(resource("Observation", "x")), rewrite=rewrite, now=NOW)
    assert finish(database, jobs_claimed(database, job_id), draft("r", 1)).report_id == "r"
