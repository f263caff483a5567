"""This file reads back what was received: the bytes, by whom, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from store.database import Database
from store.errors import NotFound
from store.incoming import Received
from store.repeats import read_answer
from store.tables import submissions


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
