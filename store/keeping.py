"""This file does the steps of taking something in, inside the transaction of its caller: people, resources, jobs.

`store.intake` takes in what a door received, `store.fetched` what was fetched from an EHR.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import audit, conditions, repeats, shared_links
from store.bounds import NO_BOUNDS, Bounds
from store.candidates import SHARED, Candidate
from store.errors import OutOfBounds, PatientConflict
from store.incoming import (
    ConditionalReference,
    IncomingResource,
    PatientIntake,
    Placed,
    Received,
    Rewrite,
    StartedJob,
    StoredEntry,
)
from store.job_states import Reason, Status
from store.patients import resolve
from store.placement import LocalReferences, place
from store.tables import jobs, submissions

# Built once: see store.candidates.
_INSERT_SUBMISSION = sa.insert(submissions)
_INSERT_JOB = sa.insert(jobs)
_ANSWER = sa.update(submissions).where(submissions.c.id == sa.bindparam("of")).values(answer=sa.bindparam("answer"))


def write_submission(
    connection: Connection,
    *,
    kind: str,
    raw: bytes,
    sha256: str,
    caller_id: str,
    now: datetime,
    idempotency_key: str | None = None,
    options: bytes = b"",
) -> str:
    """Keep what was received, byte for byte; its id."""
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
    return submission_id


def keep(
    connection: Connection,
    groups: Sequence[PatientIntake],
    loose: Sequence[IncomingResource],
    searches: Sequence[ConditionalReference],
    rewrite: Rewrite,
    *,
    submission_id: str,
    now: datetime,
    bounds: Bounds = NO_BOUNDS,
) -> tuple[LocalReferences, list[str], list[StoredEntry]]:
    """Resolve the patients of a call and keep its resources: what local references mean now, the patients whose record
    has changed, and where each resource went. Raises what `store.intake.receive` raises."""
    try:
        return _keep(connection, groups, loose, searches, rewrite, submission_id=submission_id, now=now, bounds=bounds)
    except PatientConflict as conflict:
        if bounds.patients is None:
            raise
        # Of somebody else nothing is said, not even that they are known.
        every = (conflict, *conflict.others)
        named = tuple(one.entry_index for one in every if one.entry_index is not None)
        raise OutOfBounds(named or _entries_of(groups[conflict.group].resources)) from None


def _keep(
    connection: Connection,
    groups: Sequence[PatientIntake],
    loose: Sequence[IncomingResource],
    searches: Sequence[ConditionalReference],
    rewrite: Rewrite,
    *,
    submission_id: str,
    now: datetime,
    bounds: Bounds,
) -> tuple[LocalReferences, list[str], list[StoredEntry]]:
    references = LocalReferences()
    touched: list[str] = []
    candidates: dict[object, Candidate] = {}
    conflicts: list[PatientConflict] = []
    outside = [one for one in loose if bounds.patients is not None and one.own_id not in bounds.updated]
    beyond = bool(outside)
    for number, group in enumerate(conditions.with_matches(connection, groups)):
        try:
            patient_id, met = resolve(connection, group.identity, group=number, now=now, bounds=bounds)
        except PatientConflict as conflict:
            conflicts.append(conflict)
            continue
        except OutOfBounds:
            beyond = True  # also where nothing of it is to be kept: it would start a job
            outside += group.resources
            continue
        touched.append(patient_id)
        references.known.update(dict.fromkeys(group.local_keys, f"Patient/{met}"))
        for incoming in group.resources:
            _add(candidates, incoming, patient_id, met=met)
    if conflicts:  # all at once: in a batch each costs its own entries alone
        conflicts[0].others = tuple(conflicts[1:])
        raise conflicts[0]
    if beyond:
        raise OutOfBounds(_entries_of(outside))
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
        bounds=bounds,
    )
    _refuse_outside(every, entries, bounds)
    return references, [*touched, *shared_links.concerned(connection, every, entries)], entries


def _refuse_outside(candidates: Sequence[Candidate], entries: Sequence[StoredEntry], bounds: Bounds) -> None:
    """What is nobody's own is not written by who is bound to one patient; what may not change has not changed."""
    outside = [
        entry.entry_index or 0
        for candidate, entry in zip(candidates, entries, strict=True)
        if (bounds.patients is not None and entry.placed != Placed.UNCHANGED and not _is_of(candidate, bounds.patients))
        or (entry.placed == Placed.UPDATED and not bounds.may_update(entry.type, entry.id))
    ]
    if outside:
        raise OutOfBounds(tuple(outside))


def _is_of(candidate: Candidate, patients: frozenset[str]) -> bool:
    """Whether a resource is filed with one patient: the one it came with, or, where it came alone, one of these."""
    return candidate.scope != SHARED and (bool(candidate.patients) or candidate.scope in patients)


def _entries_of(resources: Iterable[IncomingResource]) -> tuple[int, ...]:
    return tuple(one.entry_index for one in resources if one.entry_index is not None)


def start_jobs(
    connection: Connection, patient_ids: Sequence[str], *, submission_id: str, now: datetime, source: str | None = None
) -> tuple[StartedJob, ...]:
    """One job per patient. With `source` their record is fetched from there first."""
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
                    "reason": Reason.WAITING_FOR_EHR if source else Reason.WAITING_FOR_WORKER,
                    "attempts": 0,
                    "fence": job.fence,
                    "available_at": now,
                    # Hopeful: the door hands it over right after the commit, and says so when it could not. Where the
                    # door dies in between, the relay finds that Redis does not have it.
                    "queued_at": None if source else now,
                    "source": source,
                    "created_at": now,
                }
                for job in started
            ],
        )
    return started


def finish_submission(connection: Connection, received: Received, *, caller_id: str, now: datetime) -> None:
    """Keep what the answer says, and note in the audit whose record was written to."""
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
