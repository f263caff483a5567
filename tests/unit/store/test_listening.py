"""Whose turn it is to ask an EHR what is new, and until when we know it."""

from datetime import datetime

from store import intake, jobs, listening
from store.database import Database
from store.listening import Turn
from tests.unit.store.builders import NOW, later, person, receive

SERVERS = ("main", "other")


def take(database: Database, *, worker: str = "w1", now: datetime = NOW) -> Turn | None:
    return listening.take_turn(database, SERVERS[:1], worker=worker, now=now, lease_seconds=60)


def must_take(database: Database, *, worker: str = "w1", now: datetime = NOW) -> Turn:
    turn = take(database, worker=worker, now=now)
    assert turn is not None
    return turn


def end(database: Database, turn: Turn, *, until: str = "t1", seen: tuple[str, ...] = (), now: datetime = NOW) -> None:
    listening.end_turn(database, turn, heard_until=until, seen=seen, subscribed=True, again_after_seconds=60, now=now)


def test_each_server_is_asked_by_one_worker_at_a_time(database: Database) -> None:
    turns = [
        listening.take_turn(database, SERVERS, worker=f"w{number}", now=NOW, lease_seconds=60) for number in range(3)
    ]
    assert [turn and turn.server for turn in turns] == ["main", "other", None]
    assert must_take(database, worker="w9", now=later(61)).server == "main"


def test_it_is_asked_again_after_a_while_and_from_where_it_was_left(database: Database) -> None:
    turn = must_take(database)
    assert turn.heard_until is None
    end(database, turn)
    assert take(database, now=later(59)) is None
    assert listening.last_answers(database) == {"main": NOW}
    again = must_take(database, now=later(61))
    assert (again.heard_until, again.subscribed_at) == ("t1", NOW)


def test_a_word_makes_it_due_at_once_even_while_it_is_asked(database: Database) -> None:
    end(database, must_take(database))
    listening.tell(database, "main", now=later(1))
    turn = must_take(database, now=later(1))
    listening.tell(database, "main", now=later(2))
    end(database, turn, now=later(3))
    assert take(database, now=later(3)) is not None


def test_a_word_that_comes_before_the_first_question_is_kept(database: Database) -> None:
    listening.tell(database, "main", now=NOW)
    assert must_take(database).heard_until is None


def test_what_was_acted_on_is_not_told_twice(database: Database) -> None:
    end(database, must_take(database), seen=("Observation/1/_history/1", "Observation/1/_history/1"))
    told = ["Observation/1/_history/1", "Observation/1/_history/2"]
    assert listening.unheard(database, "main", told) == told[1:]
    assert listening.unheard(database, "other", told) == told


def test_it_is_remembered_as_long_as_it_is_told_of(database: Database) -> None:
    end(database, must_take(database), seen=("a", "b"))
    end(database, must_take(database, now=later(3000)), seen=("a",), now=later(3000))
    end(database, must_take(database, now=later(6000)), seen=("a",), now=later(6000))
    assert listening.unheard(database, "main", ["a", "b"]) == ["b"]


def test_a_worker_that_took_too_long_changes_nothing(database: Database) -> None:
    slow = must_take(database)
    end(database, must_take(database, worker="w2", now=later(61)), until="t2", now=later(62))
    end(database, slow, until="t1", now=later(63))
    assert must_take(database, now=later(200)).heard_until == "t2"


def test_an_ehr_that_is_away_is_asked_later(database: Database) -> None:
    listening.put_off_turn(database, must_take(database), seconds=5, now=NOW)
    assert listening.last_answers(database) == {}
    assert take(database, now=later(4)) is None
    assert take(database, now=later(5)) is not None


def test_a_job_that_will_fetch_anyway_is_known(database: Database) -> None:
    patient_id = receive(database, person(mrn="1")).jobs[0].patient_id
    assert not listening.waits_to_be_fetched(database, patient_id, "main")
    intake.request(database, patient_id=patient_id, caller_id="ehr:main", now=NOW, source="main")
    assert listening.waits_to_be_fetched(database, patient_id, "main")
    assert not listening.waits_to_be_fetched(database, patient_id, "other")


def test_fetches_that_failed_by_an_error_are_known(database: Database) -> None:
    patient_id = receive(database, person(mrn="1")).jobs[0].patient_id
    ended: dict[str, str] = {}
    for kind, error_type, again in (
        ("listen", "Away", True),
        ("listen", "Refused", False),
        ("listen", "Other", False),
        ("asked", "Away", True),
    ):
        started = intake.request(
            database, patient_id=patient_id, caller_id="x", kind=kind, now=NOW, source="main"
        ).jobs[0]
        claimed = jobs.claim_fetch(database, worker="w1", now=NOW, lease_seconds=60)
        assert claimed is not None
        jobs.fail(
            database, claimed, error_type=error_type, now=NOW, retry_delays_seconds=(1,), max_attempts=1, again=again
        )
        ended[f"{kind} {error_type}"] = started.job_id

    def failed(server: str) -> dict[str, str]:
        found = listening.failed_fetches(database, server, kind="listen", error_types=("Away", "Refused"))
        assert {(one.created_at, one.finished_at) for one in found} <= {(NOW, NOW)}
        return {one.job_id: one.error_type for one in found}

    assert failed("main") == {ended["listen Away"]: "Away", ended["listen Refused"]: "Refused"}
    assert failed("other") == {}
    jobs.retry(database, ended["listen Away"], now=NOW)
    assert failed("main") == {ended["listen Refused"]: "Refused"}
