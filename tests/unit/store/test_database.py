"""Transactions, and errors that never carry what the record holds."""

import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from store import audit, statistics
from store.database import Collision, Database, open_database
from store.errors import Busy, StoreError
from store.tables import patients
from tests.unit.store.builders import NOW, draft, finish, later, must_claim, one_job


def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    def fail_half_way(connection: sa.Connection) -> None:
        connection.execute(sa.insert(patients).values(id="p", created_at=NOW))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write_again(fail_half_way)
    with database.read() as connection:
        assert connection.execute(sa.select(patients)).all() == []


def test_errors_of_the_driver_carry_no_values(database: Database) -> None:
    row = {"id": "p", "birth_date": "CANARY", "created_at": NOW}
    with pytest.raises(Collision) as refused, database.write() as connection:
        connection.execute(sa.insert(patients), [row, row])
    assert "CANARY" not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(StoreError) as wrong, database.write() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES ('CANARY')"))
    assert "CANARY" not in "".join(traceback.format_exception(wrong.value))


def test_what_collides_is_tried_again(database: Database) -> None:
    tries: list[int] = []

    def work(connection: sa.Connection) -> str:
        tries.append(1)
        connection.execute(sa.insert(patients).values(id=f"p{len(tries)}", created_at=NOW))
        if len(tries) < 3:
            connection.execute(sa.insert(patients).values(id=f"p{len(tries)}", created_at=NOW))
        return "done"

    assert database.write_again(work) == "done"
    with database.read() as connection:
        assert connection.scalars(sa.select(patients.c.id)).all() == ["p3"]
    with pytest.raises(Busy):
        database.write_again(lambda connection: (_ for _ in ()).throw(Collision("always")))


def test_sqlite_is_durable_and_keeps_its_rules(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'deep' / 'record.sqlite3'}", busy_timeout_seconds=0.2)
    with database.write(durable=False) as connection:
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 1
    with database.write() as connection:
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        other = open_database(str(database.url), busy_timeout_seconds=0.2)
        with pytest.raises(Busy), other.write():
            pass
        assert other.answers()
        other.close()
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "mysql://x/y", "nonsense"])
def test_other_databases_are_refused_in_words(url: str) -> None:
    with pytest.raises(StoreError):
        open_database(url)


def test_a_database_that_is_not_there_is_busy_not_a_traceback() -> None:
    database = open_database("postgresql://nobody:CANARY@127.0.0.1:1/none")
    assert not database.answers()
    with pytest.raises(Busy) as away, database.read():
        pass
    assert "CANARY" not in str(away.value)


def test_reads_and_writes_leave_a_trace(database: Database) -> None:
    job_id = one_job(database)
    claimed = must_claim(database, job_id)
    read = audit.Access(
        at=later(1), caller_id="dr", action="read", type="Observation", id="o", patient_id=claimed.patient_id
    )
    audit.record(database, [read])
    audit.record(database, [])
    seen = audit.of_patient(database, claimed.patient_id)
    assert [(one.caller_id, one.action) for one in seen] == [("dr", "read"), ("clinic", "receive")]


def test_statistics_count_the_work(database: Database) -> None:
    finish(database, must_claim(database, one_job(database)), draft("r", 1), now=later(2))
    one_job(database, mrn="2", now=later(3))
    counted = statistics.count(database, now=later(10))
    assert counted.jobs == {"received": 1, "in-progress": 0, "completed": 1, "failed": 0, "cancelled": 0}
    assert (counted.oldest_waiting_seconds, counted.recent_seconds) == (7.0, (2.0,))
    assert (counted.patients, counted.living_reports, counted.attempts_again) == (2, 1, 0)
