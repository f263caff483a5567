"""This file keeps the jobs: one per patient and submission, claimed by one worker at a time under a lease and a fence.

The lease says until when a claim holds; the fence is a number that rises with each claim, so that a worker that was
asleep cannot finish what another has taken over. docs/states.md draws the states. The file is long because
every change of a job's status stands in it, so that the guards can be read side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from store.database import Database
from store.errors import AlreadyFinished, LeaseLost, NotFound
from store.job_states import FINISHED, Reason, Status
from store.patients import lock
from store.tables import NEEDS_FETCH, jobs, submissions

MAX_ATTEMPTS = 5

# What every job runs through is built once: SQLAlchemy takes longer to build a statement than SQLite to answer it.
_JOB: sa.BindParameter[str] = sa.bindparam("job")
_PATIENT: sa.BindParameter[str] = sa.bindparam("patient")
_NOW: sa.BindParameter[datetime] = sa.bindparam("now")
_BY_ID = sa.select(jobs).where(jobs.c.id == _JOB).with_for_update()
_CLAIMED = (
    sa.select(jobs)
    .where(
        jobs.c.id == _JOB,
        jobs.c.status == Status.IN_PROGRESS,
        jobs.c.fence == sa.bindparam("fence"),
        jobs.c.worker == sa.bindparam("worker"),
        jobs.c.lease_until > _NOW,
    )
    .with_for_update()
)
_HOLDER = sa.select(sa.func.max(jobs.c.lease_until)).where(
    jobs.c.patient_id == _PATIENT,
    jobs.c.status == Status.IN_PROGRESS,
    jobs.c.lease_until > _NOW,
    jobs.c.reason != Reason.FETCHING,  # it only waits for an EHR
    jobs.c.id != _JOB,
)
_TO_FETCH = (
    sa.select(jobs.c.id)
    .where(jobs.c.status == Status.RECEIVED, NEEDS_FETCH, jobs.c.available_at <= _NOW)
    .order_by(jobs.c.available_at, jobs.c.id)
    .limit(1)
)
_TAKE = (
    sa.update(jobs)
    .where(jobs.c.id == sa.bindparam("of"))
    .values(
        {
            name: sa.bindparam(name)
            for name in ("status", "reason", "attempts", "fence", "worker", "lease_until", "started_at")
        }
    )
)
_FREE = (
    sa.update(jobs)
    .where(
        jobs.c.id.in_(
            sa.select(jobs.c.id)
            .where(
                jobs.c.patient_id == _PATIENT,
                jobs.c.status == Status.RECEIVED,
                jobs.c.reason == Reason.WAITING_FOR_PATIENT,
            )
            .order_by(jobs.c.created_at, jobs.c.id)
            .limit(1)
        )
    )
    .values(available_at=sa.bindparam("available_at"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as its Task shows it.

    `outcome` is an OperationOutcome in bytes; `error_type` the name of an exception; `source` that of an EHR from which
    the patient's record is fetched first.
    """

    id: str
    submission_id: str
    patient_id: str
    caller_id: str
    kind: str
    status: Status
    reason: Reason
    attempts: int
    available_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_type: str | None
    outcome: bytes | None
    report_id: str | None
    report_version: int | None
    source: str | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status in FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A claim on a job. `attempt` counts from 1; `fence` and `worker` prove the claim; it holds until `lease_until`.

    `source` is the EHR that the job fetches from, None where it does not.
    """

    job_id: str
    patient_id: str
    submission_id: str
    attempt: int
    fence: int
    worker: str
    lease_until: datetime
    source: str | None = None


def get(database: Database, job_id: str) -> Job:
    """One job; NotFound."""
    found = _read(database, jobs.c.id == job_id)
    if not found:
        raise NotFound("Task", job_id)
    return found[0]


def of_submission(database: Database, submission_id: str) -> list[Job]:
    """The jobs of one submission, in no special order."""
    return _read(database, jobs.c.submission_id == submission_id)


def of_patient(database: Database, patient_id: str, *, limit: int = 100) -> list[Job]:
    """The newest jobs of one patient, newest first."""
    return _read(database, jobs.c.patient_id == patient_id, limit=limit)


def claim(
    database: Database,
    job_id: str,
    *,
    worker: str,
    now: datetime,
    lease_seconds: float,
    max_attempts: int = MAX_ATTEMPTS,
) -> Claimed | None:
    """Take a job, or `None` where there is nothing to do now: finished, taken, not due, or its patient is at work.

    In the last case the job is put back and comes again when the other one has ended. A job whose lease has run out is
    taken over. `worker` must be unique to the process. Raises Busy.
    """

    def work(connection: Connection) -> Claimed | None:
        row = _locked(connection, job_id)
        if row is None or row.status in FINISHED or _needs_fetch(row):
            return None
        if row.status == Status.IN_PROGRESS and row.lease_until > now:
            return None
        if row.reason == Reason.WAITING_FOR_RETRY and row.available_at > now:
            return None
        if row.attempts >= max_attempts:
            _end(connection, _ending(row), status=Status.FAILED, reason=Reason.WORKER_LOST, now=now)
            return None
        holder = _holder_of_patient(connection, row, now=now)
        if holder is not None:
            _put_back(connection, job_id, reason=Reason.WAITING_FOR_PATIENT, available_at=holder)
            return None
        return _take(connection, row, reason=Reason.CORRELATING, worker=worker, now=now, lease_seconds=lease_seconds)

    # A power cut that forgets a claim does no harm: the claim is proved by worker and lease, too.
    return database.write_again(work, durable=False)


def claim_fetch(
    database: Database, *, worker: str, now: datetime, lease_seconds: float, max_attempts: int = MAX_ATTEMPTS
) -> Claimed | None:
    """Take the job that has waited longest for its patient to be fetched from an EHR; `None` where none is due.

    Jobs of the patient that need no EHR go on meanwhile. Raises Busy.
    """
    with database.read() as connection:
        job_id = connection.scalar(_TO_FETCH, {"now": now})
    if job_id is None:
        return None

    def work(connection: Connection) -> Claimed | None:
        row = _locked(connection, job_id)
        if row is None or row.status != Status.RECEIVED or not _needs_fetch(row) or row.available_at > now:
            return None  # another worker was first
        return _take(connection, row, reason=Reason.FETCHING, worker=worker, now=now, lease_seconds=lease_seconds)

    return database.write_again(work, durable=False)


def renew(database: Database, claimed: Claimed, *, now: datetime, lease_seconds: float) -> datetime:
    """Hold the claim longer; until when. Raises LeaseLost where it is no longer ours, Busy."""
    lease_until = now + timedelta(seconds=lease_seconds)
    with database.write(durable=False) as connection:
        renewed = connection.execute(sa.update(jobs).where(*_ours(claimed, now)).values(lease_until=lease_until))
        if renewed.rowcount != 1:
            raise LeaseLost(f"job {claimed.job_id}")
    return lease_until


def fail(
    database: Database,
    claimed: Claimed,
    *,
    error_type: str,
    now: datetime,
    retry_delays_seconds: Sequence[float],
    max_attempts: int = MAX_ATTEMPTS,
    again: bool = True,
    outcome: bytes | None = None,
) -> Status:
    """Note a failed attempt: the job waits for its next one, or has `failed` after the last. What it is now.

    `error_type` is the name of an exception's type, never its text. `again=False`: another attempt cannot help.
    Raises LeaseLost, Busy.
    """

    def work(connection: Connection) -> Status:
        lock(connection, claimed.patient_id)
        row = require_claim(connection, claimed, now=now)
        values = {"error_type": error_type, "outcome": outcome}
        if not again or row.attempts >= max_attempts:
            reason = Reason.ATTEMPTS_EXHAUSTED if again else Reason.NOT_RETRYABLE
            _end(connection, claimed, status=Status.FAILED, reason=reason, now=now, said=values)
            return Status.FAILED
        delay = retry_delays_seconds[min(row.attempts, len(retry_delays_seconds)) - 1]
        _put_back(connection, row.id, reason=Reason.WAITING_FOR_RETRY, available_at=now + timedelta(seconds=delay))
        connection.execute(sa.update(jobs).where(jobs.c.id == row.id).values(**values))
        free_patient(connection, row.patient_id, now=now)
        return Status.RECEIVED

    return database.write_again(work)


def retry(database: Database, job_id: str, *, now: datetime) -> None:
    """Start a failed or cancelled job again, with all its attempts.

    Raises NotFound, AlreadyFinished (completed, running).
    """

    def work(connection: Connection) -> None:
        row = _locked(connection, job_id)
        if row is None:
            raise NotFound("Task", job_id)
        if row.status not in {Status.FAILED, Status.CANCELLED}:
            raise AlreadyFinished(f"job {job_id} is {row.status}")
        reason = Reason.WAITING_FOR_EHR if row.source is not None else Reason.WAITING_FOR_WORKER
        _put_back(connection, job_id, reason=reason, available_at=now)
        connection.execute(
            sa.update(jobs)
            .where(jobs.c.id == job_id)
            .values(attempts=0, finished_at=None, error_type=None, outcome=None, fetched_at=None)
        )

    database.write_again(work)


def cancel(database: Database, job_id: str, *, now: datetime) -> bool:
    """Stop a job; whether there was something to stop. What a worker is doing for it now will not be kept. NotFound."""

    def work(connection: Connection) -> bool:
        row = _locked(connection, job_id)
        if row is None:
            raise NotFound("Task", job_id)
        if row.status in FINISHED:
            return False
        _end(connection, _ending(row), status=Status.CANCELLED, reason=Reason.CANCELLED, now=now)
        return True

    return database.write_again(work)


def require_claim(connection: Connection, claimed: Claimed, *, now: datetime) -> Row[tuple[object, ...]]:
    """The row of a job whose claim still holds, locked; LeaseLost."""
    said = {"job": claimed.job_id, "fence": claimed.fence, "worker": claimed.worker, "now": now}
    row = connection.execute(_CLAIMED, said).first()
    if row is None:
        raise LeaseLost(f"job {claimed.job_id}")
    return row


def complete(
    connection: Connection,
    claimed: Claimed,
    *,
    reason: Reason,
    outcome: bytes | None,
    report_id: str | None,
    report_version: int | None,
    now: datetime,
) -> None:
    """Mark a job completed whose claim was required in this transaction (`store.reports.finish`)."""
    said = {"outcome": outcome, "report_id": report_id, "report_version": report_version, "error_type": None}
    _end(connection, claimed, status=Status.COMPLETED, reason=reason, now=now, said=said)


def note_fetched(connection: Connection, claimed: Claimed, *, now: datetime) -> None:
    """Let a job go on whose patient was fetched, by a claim that was required in this transaction (`store.fetched`)."""
    _put_back(connection, claimed.job_id, reason=Reason.WAITING_FOR_WORKER, available_at=now)
    connection.execute(
        sa.update(jobs).where(jobs.c.id == claimed.job_id).values(attempts=0, error_type=None, fetched_at=now)
    )


def free_patient(connection: Connection, patient_id: str, *, now: datetime) -> None:
    """Make due the oldest job that waits for this patient; the others follow one by one."""
    connection.execute(_FREE, {"patient": patient_id, "available_at": now})


def release_expired(database: Database, *, now: datetime, limit: int, max_attempts: int = MAX_ATTEMPTS) -> int:
    """Give free the jobs whose worker has not renewed its lease.

    How many. After the last attempt the job has failed.
    """
    expired = sa.and_(jobs.c.status == Status.IN_PROGRESS, jobs.c.lease_until <= now)
    with database.read() as connection:
        found = list(connection.scalars(sa.select(jobs.c.id).where(expired).limit(limit)))
    for job_id in found:

        def work(connection: Connection, job_id: str = job_id) -> None:
            row = _locked(connection, job_id)
            if row is None or row.status != Status.IN_PROGRESS or row.lease_until > now:
                return
            if row.attempts >= max_attempts:
                _end(connection, _ending(row), status=Status.FAILED, reason=Reason.WORKER_LOST, now=now)
            else:
                reason = Reason.WAITING_FOR_EHR if _needs_fetch(row) else Reason.WAITING_FOR_WORKER
                _put_back(connection, job_id, reason=reason, available_at=now)

        database.write_again(work)
    return len(found)


def _locked(connection: Connection, job_id: str) -> Row[tuple[object, ...]] | None:
    """The job, with its patient and itself locked, always in this order."""
    if connection.dialect.name != "sqlite":  # there a writer is alone anyway
        patient_id = connection.scalar(sa.select(jobs.c.patient_id).where(jobs.c.id == job_id))
        if patient_id is None:
            return None
        lock(connection, patient_id)
    return connection.execute(_BY_ID, {"job": job_id}).first()


def _needs_fetch(row: Row[tuple[object, ...]]) -> bool:
    return row.source is not None and row.fetched_at is None


def _take(
    connection: Connection,
    row: Row[tuple[object, ...]],
    *,
    reason: Reason,
    worker: str,
    now: datetime,
    lease_seconds: float,
) -> Claimed:
    lease_until = now + timedelta(seconds=lease_seconds)
    connection.execute(
        _TAKE,
        {
            "of": row.id,
            "status": Status.IN_PROGRESS,
            "reason": reason,
            "attempts": row.attempts + 1,
            "fence": row.fence + 1,
            "worker": worker,
            "lease_until": lease_until,
            "started_at": row.started_at or now,
        },
    )
    return Claimed(
        job_id=row.id,
        patient_id=row.patient_id,
        submission_id=row.submission_id,
        attempt=row.attempts + 1,
        fence=row.fence + 1,
        worker=worker,
        lease_until=lease_until,
        source=row.source,
    )


def _ours(claimed: Claimed, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        jobs.c.id == claimed.job_id,
        jobs.c.status == Status.IN_PROGRESS,
        jobs.c.fence == claimed.fence,
        jobs.c.worker == claimed.worker,
        jobs.c.lease_until > now,
    )


def _holder_of_patient(connection: Connection, row: Row[tuple[object, ...]], *, now: datetime) -> datetime | None:
    """Until when another job of the same patient is at work."""
    holder: datetime | None = connection.scalar(_HOLDER, {"patient": row.patient_id, "now": now, "job": row.id})
    return holder


def _put_back(connection: Connection, job_id: str, *, reason: Reason, available_at: datetime) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            status=Status.RECEIVED,
            reason=reason,
            fence=jobs.c.fence + 1,
            available_at=available_at,
            queued_at=None,
            worker=None,
            lease_until=None,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """A job that ends without a claim."""

    job_id: str
    patient_id: str


def _ending(row: Row[tuple[object, ...]]) -> _Ending:
    return _Ending(job_id=row.id, patient_id=row.patient_id)


def _end(
    connection: Connection,
    job: Claimed | _Ending,
    *,
    status: Status,
    reason: Reason,
    now: datetime,
    said: Mapping[str, object] = MappingProxyType({}),
) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job.job_id)
        .values(status=status, reason=reason, finished_at=now, worker=None, lease_until=None, queued_at=None, **said)
    )
    free_patient(connection, job.patient_id, now=now)


def _read(database: Database, condition: sa.ColumnElement[bool], *, limit: int = 1000) -> list[Job]:
    query = (
        sa.select(jobs, submissions.c.caller_id, submissions.c.kind)
        .join_from(jobs, submissions, jobs.c.submission_id == submissions.c.id)
        .where(condition)
        .order_by(jobs.c.created_at.desc(), jobs.c.id)
        .limit(limit)
    )
    with database.read() as connection:
        return [
            Job(
                id=row.id,
                submission_id=row.submission_id,
                patient_id=row.patient_id,
                caller_id=row.caller_id,
                kind=row.kind,
                status=Status(row.status),
                reason=Reason(row.reason),
                attempts=row.attempts,
                available_at=row.available_at,
                created_at=row.created_at,
                started_at=row.started_at,
                finished_at=row.finished_at,
                error_type=row.error_type,
                outcome=row.outcome,
                report_id=row.report_id,
                report_version=row.report_version,
                source=row.source,
            )
            for row in connection.execute(query)
        ]
