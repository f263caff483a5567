"""This file takes in what a door received, in one transaction: bytes, people, resources, jobs. After it, a 2xx is true.

Nothing is queued here: the job rows are the outbox, and `store.outbox.hand_over` brings them to Redis after the commit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import audit, repeats
from store.candidates import SHARED, Candidate
from store.database import Database
from store.deletion import delete_all
from store.errors import NotFound
from store.incoming import (
    Deletion,
    IncomingResource,
    PatientIntake,
    Received,
    Rewrite,
    StartedJob,
    StoredEntry,
)
from store.job_states import Reason, Status
from store.patients import lock, resolve
from store.placement import LocalReferences, place
from store.tables import jobs, patients, submissions

DAY_SECONDS = 86400.0
# Built once: see store.candidates.
_INSERT_SUBMISSION = sa.insert(submissions)
_INSERT_JOB = sa.insert(jobs)
_ANSWER = sa.update(submissions).where(submissions.c.id == sa.bindparam("of")).values(answer=sa.bindparam("answer"))


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
    idempotency_key: str | None = None,
    options: bytes = b"",
    repeat_window_seconds: float = DAY_SECONDS,
) -> Received:
    """Store a submission, resolve its patients, keep its resources and start one job per patient, or do nothing at all.

    `kind` is `correlate` (byte-identical bodies are repeats), `transaction`, `batch` or another word of the door's.
    `loose` are resources of no patient. `options` are bytes the door finds again with the submission.
    Raises PatientConflict, KeyReused, VersionConflict, NotFound (an own patient id that is not ours), Busy.
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
        submission_id = str(uuid.uuid4())
        connection.execute(
            _INSERT_SUBMISSION,
            {
                "id": submission_id,
                "kind": kind,
                "raw": raw,
                "sha256": sha256,
                "caller_id": caller_id,
                "idempotency_key": idempotency_key,
                "options": options,
                "answer": b"",
                "received_at": now,
            },
        )
        touched, entries = _keep(connection, groups, loose, rewrite, submission_id=submission_id, now=now)
        deleted, bereft = delete_all(connection, deletions, submission_id=submission_id, now=now)
        started = _start_jobs(connection, dict.fromkeys([*touched, *bereft]), submission_id=submission_id, now=now)
        received = Received(submission_id=submission_id, jobs=started, entries=(*entries, *deleted))
        _finish_submission(connection, received, caller_id=caller_id, now=now)
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
) -> Received:
    """Start a job over what is stored of a patient already. Raises NotFound for an unknown patient, KeyReused, Busy."""
    body = patient_id.encode()
    sha256 = hashlib.sha256(body).hexdigest()

    def work(connection: Connection) -> Received:
        if connection.scalar(sa.select(patients.c.id).where(patients.c.id == patient_id)) is None:
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
        lock(connection, patient_id)
        submission_id = str(uuid.uuid4())
        connection.execute(
            _INSERT_SUBMISSION,
            {
                "id": submission_id,
                "kind": kind,
                "raw": b"",
                "sha256": sha256,
                "caller_id": caller_id,
                "idempotency_key": idempotency_key,
                "options": options,
                "answer": b"",
                "received_at": now,
            },
        )
        started = _start_jobs(connection, [patient_id], submission_id=submission_id, now=now)
        received = Received(submission_id=submission_id, jobs=started, entries=())
        _finish_submission(connection, received, caller_id=caller_id, now=now)
        return received

    return database.write_again(work)


def _keep(
    connection: Connection,
    groups: Sequence[PatientIntake],
    loose: Sequence[IncomingResource],
    rewrite: Rewrite,
    *,
    submission_id: str,
    now: datetime,
) -> tuple[list[str], list[StoredEntry]]:
    references = LocalReferences()
    touched: list[str] = []
    candidates: dict[object, Candidate] = {}
    for number, group in enumerate(groups):
        patient_id, _ = resolve(connection, group.identity, group=number, now=now)
        touched.append(patient_id)
        references.known.update(dict.fromkeys(group.local_keys, f"Patient/{patient_id}"))
        for incoming in group.resources:
            _add(candidates, incoming, patient_id)
    for incoming in loose:
        _add(candidates, incoming, None)
    entries = place(
        connection,
        list(candidates.values()),
        rewrite=rewrite,
        references=references,
        submission_id=submission_id,
        now=now,
    )
    return list(dict.fromkeys(touched)), entries


def _add(candidates: dict[object, Candidate], incoming: IncomingResource, patient_id: str | None) -> None:
    """A resource that two patients refer to becomes shared: it is one resource, and neither one's own."""
    place_in_call = id(incoming) if incoming.entry_index is None else incoming.entry_index
    earlier = candidates.get(place_in_call)
    own = () if patient_id is None else (patient_id,)
    if earlier is None:
        scope = SHARED if incoming.shared or patient_id is None else patient_id
        candidates[place_in_call] = Candidate(incoming=incoming, scope=scope, patients=own)
    elif patient_id is not None and patient_id not in earlier.patients:
        candidates[place_in_call] = dataclasses.replace(earlier, scope=SHARED, patients=(*earlier.patients, patient_id))


def _start_jobs(
    connection: Connection, patient_ids: Sequence[str] | dict[str, None], *, submission_id: str, now: datetime
) -> tuple[StartedJob, ...]:
    started = tuple(StartedJob(job_id=str(uuid.uuid4()), patient_id=patient_id) for patient_id in patient_ids)
    if started:
        connection.execute(
            _INSERT_JOB,
            [
                {
                    "id": job.job_id,
                    "submission_id": submission_id,
                    "patient_id": job.patient_id,
                    "status": Status.RECEIVED,
                    "reason": Reason.WAITING_FOR_WORKER,
                    "attempts": 0,
                    "fence": job.fence,
                    "available_at": now,
                    # Hopeful: the door hands it over right after the commit, and says so when it could not. Where the
                    # door dies in between, the relay finds that Redis does not have it.
                    "queued_at": now,
                    "created_at": now,
                }
                for job in started
            ],
        )
    return started


def _finish_submission(connection: Connection, received: Received, *, caller_id: str, now: datetime) -> None:
    connection.execute(_ANSWER, {"of": received.submission_id, "answer": repeats.write_answer(received)})
    audit.write(
        connection,
        [
            audit.Access(
                at=now,
                caller_id=caller_id,
                action="receive",
                type="Patient",
                id=job.patient_id,
                patient_id=job.patient_id,
            )
            for job in received.jobs
        ],
    )
