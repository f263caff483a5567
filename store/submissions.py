"""This file reads back what was received: the bytes, by whom, when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import Database
from store.errors import NotFound
from store.incoming import Received
from store.repeats import read_answer
from store.tables import submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class KickOff:
    """Who sent a submission, of what kind, when, and the door's own bytes about it: all but the body."""

    id: str
    kind: str
    caller_id: str
    options: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One accepted body. `options` are the door's own bytes, `answer` says which jobs and resources it led to."""

    id: str
    kind: str
    raw: bytes
    sha256: str
    caller_id: str
    options: bytes
    received_at: datetime
    answer: Received


def read(database: Database, submission_id: str) -> Submission:
    """One submission; NotFound."""
    with database.read() as connection:
        row = connection.execute(sa.select(submissions).where(submissions.c.id == submission_id)).first()
    if row is None:
        raise NotFound("submission", submission_id)
    return Submission(
        id=row.id,
        kind=row.kind,
        raw=row.raw,
        sha256=row.sha256,
        caller_id=row.caller_id,
        options=row.options,
        received_at=row.received_at,
        answer=read_answer(row.id, row.answer, repeated=False),
    )


def kick_off(database: Database, submission_id: str) -> KickOff:
    """One submission without its body, which may be large; NotFound."""
    columns = (submissions.c[name] for name in ("id", "kind", "caller_id", "options", "received_at"))
    with database.read() as connection:
        row = connection.execute(sa.select(*columns).where(submissions.c.id == submission_id)).first()
    if row is None:
        raise NotFound("submission", submission_id)
    return KickOff(**row._mapping)


def change(database: Database, submission_id: str, changed: Callable[[bytes], bytes]) -> bytes:
    """Put other bytes of the door's in the place of those it gave with the submission; the new ones.

    `changed` makes them of those that are kept, and may be asked again: it has no other effect. Raises NotFound, Busy.
    """
    here = submissions.c.id == submission_id

    def work(connection: Connection) -> bytes:
        kept = connection.scalar(sa.select(submissions.c.options).where(here).with_for_update())
        if kept is None:
            raise NotFound("submission", submission_id)
        options = changed(kept)
        connection.execute(sa.update(submissions).where(here).values(options=options))
        return options

    return database.write_again(work)
