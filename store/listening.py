"""This file keeps, for each EHR that is listened to, until when we know what is new there, and whose turn it is to ask.

A word from the EHR only makes the asking due at once: what is new is always asked for, so a word that was lost costs
time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import Database, in_parts
from store.errors import LeaseLost
from store.job_states import Reason, Status
from store.tables import NEEDS_FETCH, heard, jobs, listened, submissions

_row = listened.c
_REMEMBERED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The turn to ask one EHR what is new. `heard_until` is None the first time; it holds until a lease runs out."""

    server: str
    heard_until: str | None
    subscribed_at: datetime | None
    worker: str
    begun: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedFetch:
    """A job that failed for good to fetch from an EHR. `error_type` is the name of an exception's type."""

    job_id: str
    error_type: str
    created_at: datetime
    finished_at: datetime


def tell(database: Database, server: str, *, now: datetime) -> None:
    """An EHR has sent a word: it is to be asked at once."""

    def work(connection: Connection) -> None:
        told = (
            sa.update(listened)
            .where(_row.server == server)
            .values(told_at=now, due_at=sa.case((_row.due_at < now, _row.due_at), else_=now))
        )
        if connection.execute(told).rowcount == 0:
            connection.execute(sa.insert(listened).values(server=server, due_at=now, told_at=now))

    database.write_again(work)


def take_turn(
    database: Database, servers: Iterable[str], *, worker: str, now: datetime, lease_seconds: float
) -> Turn | None:
    """Take the turn to ask one of these EHRs that is due; `None` where none is. Raises Busy."""
    names = sorted(servers)
    free = sa.or_(_row.lease_until.is_(None), _row.lease_until <= now)
    query = (
        sa.select(listened)
        .where(_row.server.in_(names), _row.due_at <= now, free)
        .order_by(_row.due_at, _row.server)
        .limit(1)
    )
    with database.read() as connection:
        known = set(connection.scalars(sa.select(_row.server).where(_row.server.in_(names))))
        if known.issuperset(names) and connection.execute(query).first() is None:
            return None

    def work(connection: Connection) -> Turn | None:
        known = set(connection.scalars(sa.select(_row.server).where(_row.server.in_(names))))
        missing = [{"server": name, "due_at": now} for name in names if name not in known]
        if missing:
            connection.execute(sa.insert(listened), missing)
        row = connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        connection.execute(
            sa.update(listened)
            .where(_row.server == row.server)
            .values(worker=worker, lease_until=now + timedelta(seconds=lease_seconds))
        )
        return Turn(
            server=row.server,
            heard_until=row.heard_until,
            subscribed_at=row.subscribed_at,
            worker=worker,
            begun=now,
        )

    return database.write_again(work, durable=False)


def renew(database: Database, turn: Turn, *, now: datetime, lease_seconds: float) -> None:
    """Hold the turn longer. Raises LeaseLost, Busy."""
    with database.write(durable=False) as connection:
        renewed = connection.execute(
            sa.update(listened)
            .where(_row.server == turn.server, _row.worker == turn.worker)
            .values(lease_until=now + timedelta(seconds=lease_seconds))
        )
        if renewed.rowcount != 1:
            raise LeaseLost(f"server {turn.server}")


def unheard(database: Database, server: str, resources: Sequence[str]) -> list[str]:
    """Of these versions (`Type/id/_history/version`), those that were not acted on yet."""
    known: set[str] = set()
    with database.read() as connection:
        for part in in_parts(resources):
            query = sa.select(heard.c.resource).where(heard.c.server == server, heard.c.resource.in_(part))
            known |= set(connection.scalars(query))
    return [one for one in resources if one not in known]


def waits_to_be_fetched(database: Database, patient_id: str, server: str) -> bool:
    """Whether a job that has not begun yet will fetch this patient from this EHR anyway."""
    query = sa.select(jobs.c.id).where(
        jobs.c.patient_id == patient_id, jobs.c.source == server, jobs.c.status == "received", NEEDS_FETCH
    )
    with database.read() as connection:
        return connection.execute(query.limit(1)).first() is not None


def failed_fetches(database: Database, server: str, *, kind: str, error_types: Sequence[str]) -> list[FailedFetch]:
    """The jobs of this kind of submission whose last attempt to fetch from an EHR failed by one of these errors.

    `error_types` are names of exceptions' types.
    """
    query = (
        sa.select(jobs.c.id, jobs.c.error_type, jobs.c.created_at, jobs.c.finished_at)
        .join_from(jobs, submissions, jobs.c.submission_id == submissions.c.id)
        .where(jobs.c.status == Status.FAILED, jobs.c.reason.in_((Reason.ATTEMPTS_EXHAUSTED, Reason.NOT_RETRYABLE)))
        .where(jobs.c.source == server, NEEDS_FETCH, jobs.c.error_type.in_(error_types), submissions.c.kind == kind)
    )
    with database.read() as connection:
        return [
            FailedFetch(
                job_id=row.id, error_type=row.error_type, created_at=row.created_at, finished_at=row.finished_at
            )
            for row in connection.execute(query)
        ]


def end_turn(
    database: Database,
    turn: Turn,
    *,
    heard_until: str | None,
    seen: Sequence[str],
    subscribed: bool,
    again_after_seconds: float,
    now: datetime,
) -> None:
    """Note what was heard: `seen` are the versions that the EHR told of, all of which have been acted on.

    They are remembered as long as they are told of. Asked again after so long, or at once where a word came since the
    turn was taken.
    """
    due_at = now + timedelta(seconds=again_after_seconds)

    def work(connection: Connection) -> None:
        values: dict[str, object] = {
            "heard_until": heard_until,
            "asked_at": now,
            "due_at": sa.case((_row.told_at > turn.begun, now), else_=due_at),
            "worker": None,
            "lease_until": None,
        }
        if subscribed:
            values["subscribed_at"] = now
        mine = sa.update(listened).where(_row.server == turn.server, _row.worker == turn.worker)
        if connection.execute(mine.values(**values)).rowcount == 0:
            return  # it took too long, and another worker has the turn
        _remember(connection, turn.server, seen, now=now)

    database.write_again(work)


def put_off_turn(database: Database, turn: Turn, *, seconds: float, now: datetime) -> None:
    """The EHR did not answer: it is asked again after so long."""

    def work(connection: Connection) -> None:
        connection.execute(
            sa.update(listened)
            .where(_row.server == turn.server, _row.worker == turn.worker)
            .values(due_at=now + timedelta(seconds=seconds), worker=None, lease_until=None)
        )

    database.write_again(work)


def last_answers(database: Database) -> Mapping[str, datetime]:
    """When each EHR last answered what is new there; one that never did is left out."""
    query = sa.select(_row.server, _row.asked_at).where(_row.asked_at.is_not(None))
    with database.read() as connection:
        return {row.server: row.asked_at for row in connection.execute(query)}


def _remember(connection: Connection, server: str, seen: Sequence[str], *, now: datetime) -> None:
    for part in in_parts(dict.fromkeys(seen)):
        here = sa.and_(heard.c.server == server, heard.c.resource.in_(part))
        known = set(connection.scalars(sa.select(heard.c.resource).where(here)))
        connection.execute(sa.update(heard).where(here).values(heard_at=now))
        rows = [{"server": server, "resource": one, "heard_at": now} for one in part if one not in known]
        if rows:
            connection.execute(sa.insert(heard), rows)
    forgotten = now - timedelta(seconds=_REMEMBERED_SECONDS)
    connection.execute(sa.delete(heard).where(heard.c.server == server, heard.c.heard_at < forgotten))
