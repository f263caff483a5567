"""This file takes in what a door received, in one transaction: bytes, people, resources, jobs. After it, a 2xx is true.

Nothing is queued here: the job rows are the outbox, and `store.outbox.hand_over` brings them to Redis after the commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import repeats
from store.bounds import NO_BOUNDS, Bounds
from store.database import Database
from store.deletion import delete_all
from store.errors import IdentityOverlap, NotFound, OutOfBounds
from store.incoming import (
    ConditionalReference,
    Deletion,
    IncomingResource,
    PatientIntake,
    PatientLink,
    Received,
    Rewrite,
    StoredEntry,
)
from store.keeping import finish_submission, keep, start_jobs, write_submission
from store.merging import merge_all
from store.patients import lock_record
from store.tables import patients

DAY_SECONDS = 86400.0


def receive(
    database: Database,
    *,
    kind: str,
    raw: bytes,
    caller_id: str,
    groups: Sequence[PatientIntake],
    rewrite: Rewrite,
    now: datetime,
    loose: Sequence[IncomingResource] = (),
    deletions: Sequence[Deletion] = (),
    references: Sequence[ConditionalReference] = (),
    links: Sequence[PatientLink] = (),
    idempotency_key: str | None = None,
    options: bytes = b"",
    repeat_window_seconds: float = DAY_SECONDS,
    source: str | None = None,
    bounds: Bounds = NO_BOUNDS,
) -> Received:
    """Store a submission, resolve its patients, keep its resources and start one job per patient, or do nothing at all.

    `kind` is `correlate` (byte-identical bodies are repeats), `transaction`, `batch` or another word of the door's.
    Deletions come first. `loose` are resources of no patient, `references` those that are searches, `links` say whose
    record has become a part of whose. `options` are bytes the door finds again with the submission. In a `transaction`
    each resource of ours may be meant by one entry only. With `source`, the name of an EHR, the patients are fetched
    from there before they are correlated; such jobs are not handed to the queue. `bounds` say how far may be written.
    Raises PatientConflict, KeyReused, VersionConflict, NoMatch, SeveralMatches, IdentityOverlap, OutOfBounds, NotFound
    (an own patient id that is not ours), Busy.
    """
    sha256 = hashlib.sha256(raw).hexdigest()

    def work(connection: Connection) -> Received:
        repeat = repeats.find_repeat(
            connection,
            kind=kind,
            sha256=sha256,
            caller_id=caller_id,
            idempotency_key=idempotency_key,
            now=now,
            window_seconds=repeat_window_seconds,
        )
        if repeat is not None:
            return repeat
        submission_id = write_submission(
            connection,
            kind=kind,
            raw=raw,
            sha256=sha256,
            caller_id=caller_id,
            idempotency_key=idempotency_key,
            options=options,
            now=now,
        )
        deleted, bereft = delete_all(connection, deletions, submission_id=submission_id, now=now, bounds=bounds)
        local, touched, entries = keep(
            connection, groups, loose, references, rewrite, submission_id=submission_id, now=now, bounds=bounds
        )
        if kind == "transaction":
            _refuse_overlap([*entries, *deleted], groups, loose)
        if links and not bounds.may_merge:
            raise OutOfBounds(tuple(link.entry_index or 0 for link in links))
        merged = merge_all(connection, links, local, caller_id=caller_id, now=now)
        touched = [merged.get(patient_id, patient_id) for patient_id in (*touched, *bereft, *merged.values())]
        started = start_jobs(
            connection, list(dict.fromkeys(touched)), submission_id=submission_id, source=source, now=now
        )
        received = Received(submission_id=submission_id, jobs=started, entries=(*entries, *deleted))
        finish_submission(connection, received, caller_id=caller_id, now=now)
        return received

    return database.write_again(work)


def request(
    database: Database,
    *,
    patient_id: str,
    caller_id: str,
    now: datetime,
    kind: str = "correlate-stored",
    options: bytes = b"",
    idempotency_key: str | None = None,
    source: str | None = None,
) -> Received:
    """Start a job over what is stored of a patient already, or of whom their record became a part.

    With `source`, the name of an EHR, their record is fetched from there first; such a job is not handed to the queue.
    Raises NotFound for an unknown patient, KeyReused, Busy.
    """
    body = f"{patient_id} {source}".encode() if source else patient_id.encode()
    sha256 = hashlib.sha256(body).hexdigest()

    def work(connection: Connection) -> Received:
        person = connection.execute(sa.select(patients.c.merged_into).where(patients.c.id == patient_id)).first()
        if person is None:
            raise NotFound("Patient", patient_id)
        repeat = repeats.find_repeat(
            connection,
            kind=kind,
            sha256=sha256,
            caller_id=caller_id,
            idempotency_key=idempotency_key,
            now=now,
            window_seconds=0,
        )
        if repeat is not None:
            return repeat
        record = person.merged_into or patient_id
        lock_record(connection, record)
        submission_id = write_submission(
            connection,
            kind=kind,
            raw=b"",
            sha256=sha256,
            caller_id=caller_id,
            idempotency_key=idempotency_key,
            options=options,
            now=now,
        )
        started = start_jobs(connection, [record], submission_id=submission_id, source=source, now=now)
        received = Received(submission_id=submission_id, jobs=started, entries=())
        finish_submission(connection, received, caller_id=caller_id, now=now)
        return received

    return database.write_again(work)


def _refuse_overlap(
    entries: Sequence[StoredEntry], groups: Sequence[PatientIntake], loose: Sequence[IncomingResource]
) -> None:
    """In a transaction a resource is written or deleted once. Two creates may be one resource; they change it once."""
    every = (*loose, *(incoming for group in groups for incoming in group.resources))
    creates = {incoming.entry_index for incoming in every if incoming.own_id is None}
    of_one: dict[str, dict[int, None]] = {}
    for entry in entries:
        if entry.entry_index is not None:
            of_one.setdefault(entry.id, {})[entry.entry_index] = None
    for indexes in of_one.values():
        if len(indexes) > 1 and not creates.issuperset(indexes):
            raise IdentityOverlap(tuple(indexes))
