"""This file knows when a submission is a repeat of an earlier one, and what was answered then.

The same Idempotency-Key and body: the same answer, always. The same key with another body: refused. Without a key, a
byte-identical `$correlate` body of the same caller within the window is a repeat, unless its job has failed or was
cancelled: then the caller evidently wants another try.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from store.errors import KeyReused
from store.incoming import Placed, Received, StartedJob, StoredEntry
from store.tables import jobs, submissions

REPEATABLE_KINDS = frozenset({"correlate"})
_UNDONE = ("failed", "cancelled")
# Built once: see store.candidates.
_EARLIER = sa.select(submissions.c.id, submissions.c.kind, submissions.c.sha256, submissions.c.answer)
_BY_KEY = _EARLIER.where(
    submissions.c.caller_id == sa.bindparam("caller"), submissions.c.idempotency_key == sa.bindparam("key")
)
_BY_BODY = (
    _EARLIER.where(
        submissions.c.sha256 == sa.bindparam("sha256"),
        submissions.c.caller_id == sa.bindparam("caller"),
        submissions.c.kind == sa.bindparam("kind"),
        submissions.c.received_at > sa.bindparam("since"),
        ~sa.exists().where(jobs.c.submission_id == submissions.c.id, jobs.c.status.in_(_UNDONE)),
    )
    .order_by(submissions.c.received_at.desc())
    .limit(1)
)


def find_repeat(
    connection: Connection,
    *,
    kind: str,
    sha256: str,
    caller_id: str,
    idempotency_key: str | None,
    now: datetime,
    window_seconds: float,
) -> Received | None:
    """What was answered the first time, `None` when this is the first time. Raises KeyReused."""
    if connection.dialect.name != "sqlite" and (idempotency_key is not None or kind in REPEATABLE_KINDS):
        # Two equal submissions at the same moment: the second waits here, and then finds the first.
        name = f"{caller_id}|{idempotency_key or sha256}"
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    if idempotency_key is not None:
        row = connection.execute(_BY_KEY, {"caller": caller_id, "key": idempotency_key}).first()
        if row is None:
            return None
        if (row.kind, row.sha256) != (kind, sha256):
            raise KeyReused(row.id)
        return read_answer(row.id, row.answer, repeated=True)
    if kind not in REPEATABLE_KINDS:
        return None
    since = now - timedelta(seconds=window_seconds)
    asked = {"sha256": sha256, "caller": caller_id, "kind": kind, "since": since}
    row = connection.execute(_BY_BODY, asked).first()
    return None if row is None else read_answer(row.id, row.answer, repeated=True)


def write_answer(received: Received) -> bytes:
    """An answer as bytes: ids and versions only."""
    return json.dumps(
        {
            "jobs": [[job.job_id, job.patient_id] for job in received.jobs],
            "entries": [
                [entry.entry_index, entry.type, entry.id, entry.version, entry.placed.value]
                for entry in received.entries
            ],
        },
        separators=(",", ":"),
    ).encode()


def read_answer(submission_id: str, answer: bytes, *, repeated: bool) -> Received:
    """The answer that `write_answer` wrote."""
    said = json.loads(answer)
    return Received(
        submission_id=submission_id,
        jobs=tuple(StartedJob(job_id=job_id, patient_id=patient_id) for job_id, patient_id in said["jobs"]),
        entries=tuple(
            StoredEntry(entry_index=index, type=type_, id=identity, version=version, placed=Placed(placed))
            for index, type_, identity, version, placed in said["entries"]
        ),
        repeated=repeated,
    )
