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

from store import audit, conditions, repeats, shared_links
from store.candidates import SHARED, Candidate
from store.database import Database
from store.deletion import delete_all
from store.errors import IdentityOverlap, NotFound, PatientConflict
from store.incoming import (
    ConditionalReference,
    Deletion,
    IncomingResource,
    PatientIntake,
    PatientLink,
    Received,
    Rewrite,
    StartedJob,
    StoredEntry,
)
from store.job_states import Reason, Status
from store.merging import merge_all
from store.patients import lock_record, resolve
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
    references: Sequence[ConditionalReference] = (),
    links: Sequence[PatientLink] = (),
    idempotency_key: str | None = None,
    options: bytes = b"",
    repeat_window_seconds: float = DAY_SECONDS,
) -> Received:
    """Store a submission, resolve its patients, keep its resources and start one job per patient, or do nothing at all.

    `kind` is `correlate` (byte-identical bodies are repeats), `transaction`, `batch` or another word of the door's.
    Deletions come first. `loose` are resources of no patient, `references` those that are searches, `links` say whose
    record has become a part of whose. `options` are bytes the door finds again with the submission. In a `transaction`
    each resource of ours may be meant by one entry only.
    Raises PatientConflict, KeyReused, VersionConflict, NoMatch, SeveralMatches, IdentityOverlap, NotFound (an own
    patient id that is not ours), Busy.
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
        deleted, bereft = delete_all(connection, deletions, submission_id=submission_id, now=now)
        local, touched, entries = _keep(
            connection, groups, loose, references, rewrite, submission_id=submission_id, now=now
        )
        if kind == "transaction":
            _refuse_overlap([*entries, *deleted], groups, loose)
        merged = merge_all(connection, links, local, caller_id=caller_id, now=now)
        touched = [merged.get(patient_id, patient_id) for patient_id in (*touched, *bereft, *merged.values())]
        started = _start_jobs(connection, list(dict.fromkeys(touched)), submission_id=submission_id, now=now)
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
    """Start a job over what is stored of a patient already, or of whom their record became a part.

    Raises NotFound for an unknown patient, KeyReused, Busy.
    """
    body = patient_id.encode()
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
        started = _start_jobs(connection, [record], submission_id=submission_id, now=now)
        received = Received(submission_id=submission_id, jobs=started, entries=())
        _finish_submission(connection, received, caller_id=caller_id, now=now)
        return received

    return database.write_again(work)


def _keep(
    connection: Connection,
    groups: Sequence[PatientIntake],
    loose: Sequence[IncomingResource],
    searches: Sequence[ConditionalReference],
    rewrite: Rewrite,
    *,
    submission_id: str,
    now: datetime,
) -> tuple[LocalReferences, list[str], list[StoredEntry]]:
    references = LocalReferences()
    touched: list[str] = []
    candidates: dict[object, Candidate] = {}
    conflicts: list[PatientConflict] = []
    for number, group in enumerate(conditions.with_matches(connection, groups)):
        try:
            patient_id, met = resolve(connection, group.identity, group=number, now=now)
        except PatientConflict as conflict:
            conflicts.append(conflict)
            continue
        touched.append(patient_id)
        references.known.update(dict.fromkeys(group.local_keys, f"Patient/{met}"))
        for incoming in group.resources:
            _add(candidates, incoming, patient_id, met=met)
    if conflicts:  # all at once: in a batch each costs its own entries alone
        conflicts[0].others = tuple(conflicts[1:])
        raise conflicts[0]
    for incoming in loose:
        _add(candidates, incoming, None)
    every = list(candidates.values())
    entries = place(
        connection,
        every,
        rewrite=rewrite,
        references=references,
        searches=searches,
        submission_id=submission_id,
        now=now,
    )
    return references, [*touched, *shared_links.concerned(connection, every, entries)], entries


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


def _add(
    candidates: dict[object, Candidate], incoming: IncomingResource, patient_id: str | None, *, met: str | None = None
) -> None:
    """A resource that two patients refer to becomes shared: it is one resource, and neither one's own."""
    place_in_call = id(incoming) if incoming.entry_index is None else incoming.entry_index
    earlier = candidates.get(place_in_call)
    own = () if patient_id is None else (patient_id,)
    if earlier is None:
        scope = SHARED if incoming.shared or patient_id is None else patient_id
        candidates[place_in_call] = Candidate(incoming=incoming, scope=scope, patients=own, met=met)
    elif patient_id is not None and patient_id not in earlier.patients:
        candidates[place_in_call] = dataclasses.replace(earlier, scope=SHARED, patients=(*earlier.patients, patient_id))


def _start_jobs(
    connection: Connection, patient_ids: Sequence[str], *, submission_id: str, now: datetime
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
