"""This file sees to it that every job that has to run stands in Redis, whatever happens to Redis, doors and workers.

The job rows are the outbox. `queued_at` is when a waiting job was last known to be in the queue; without it, the job
has to be put there. What is there for long is looked up, so a wiped, restarted or forgetful Redis costs seconds,
never a job.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from store.database import Database
from store.errors import StoreError
from store.incoming import StartedJob
from store.job_states import Status
from store.jobs import MAX_ATTEMPTS, Job, get, release_expired
from store.queue import Queue
from store.settings import StoreSettings
from store.tables import NEEDS_FETCH, jobs

BATCH = 200
RECHECK_SECONDS = 5.0
_LOOK_SECONDS = 1.0  # a waiter looks into the record so often even where Redis says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """What one round did: deliveries put into the queue, expired leases given free, whether Redis answered."""

    enqueued: int
    released: int
    redis_answers: bool


def hand_over(database: Database, queue: Queue, started: Iterable[StartedJob]) -> bool:
    """Queue the jobs of an intake, right after its commit; whether Redis took them all.

    Where it did not, the jobs are marked for the relay. Never raises: what was received is safe already.
    """
    missed = [job for job in started if not queue.enqueue(job.job_id, job.fence)]
    if not missed:
        return True
    try:
        with database.write(durable=False) as connection:
            for job in missed:
                connection.execute(
                    sa.update(jobs)
                    .where(jobs.c.id == job.job_id, jobs.c.fence == job.fence, jobs.c.status == Status.RECEIVED)
                    .values(queued_at=None)
                )
    except StoreError:
        pass  # the relay looks up in Redis what waits for long
    return False


def relay_once(
    database: Database,
    queue: Queue,
    *,
    now: datetime,
    recheck_seconds: float = RECHECK_SECONDS,
    max_attempts: int = MAX_ATTEMPTS,
    limit: int = BATCH,
) -> Relayed:
    """One round.

    Free expired leases, notice a wiped Redis, look up the long waiting, queue what is due. Raises Busy.
    """
    released = release_expired(database, now=now, limit=limit, max_attempts=max_attempts)
    wiped = queue.wiped()
    if wiped is None:
        return Relayed(enqueued=0, released=released, redis_answers=False)
    if wiped:
        _requeue_everything(database)
        queue.mark()
    else:
        _look_up_waiting(database, queue, now=now, recheck_seconds=recheck_seconds, limit=limit)
    enqueued = _queue_due(database, queue, now=now, limit=limit)
    return Relayed(enqueued=enqueued, released=released, redis_answers=True)


def bring_next(database: Database, queue: Queue, patient_id: str, *, now: datetime) -> None:
    """Queue at once what waited for this patient, rather than at the relay's next round. Never raises."""
    query = sa.select(jobs.c.id, jobs.c.fence).where(
        jobs.c.patient_id == patient_id,
        jobs.c.status == Status.RECEIVED,
        jobs.c.queued_at.is_(None),
        jobs.c.available_at <= now,
        sa.not_(NEEDS_FETCH),
    )
    with contextlib.suppress(StoreError):
        with database.read() as connection:
            due = [(row.id, row.fence) for row in connection.execute(query.limit(1))]
        _queue_all(database, queue, due, now=now)


def wait_until_finished(database: Database, queue: Queue, job_id: str, *, seconds: float) -> Job:
    """The job as soon as it is finished, or as it is after so many seconds. The worker's word wakes us at once."""
    deadline = time.monotonic() + seconds
    job = get(database, job_id)
    while not job.finished and (left := deadline - time.monotonic()) > 0:
        queue.wait(job_id, min(left, _LOOK_SECONDS))
        job = get(database, job_id)
    return job


class Relay(threading.Thread):
    """A thread that calls `relay_once` every `interval_seconds` until `stop`.

    `on_error` gets the name of an exception's type; the round is tried again at the next interval.
    """

    def __init__(
        self,
        database: Database,
        queue: Queue,
        *,
        clock: Callable[[], datetime],
        interval_seconds: float = 1.0,
        recheck_seconds: float = RECHECK_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
        on_error: Callable[[str], None] = lambda name: None,
    ) -> None:
        super().__init__(name="fillertrace-relay", daemon=True)
        self._database = database
        self._queue = queue
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._recheck_seconds = recheck_seconds
        self._max_attempts = max_attempts
        self._on_error = on_error
        self._stopped = threading.Event()

    def run(self) -> None:
        """Relay until stopped; a full batch is followed by the next at once."""
        while not self._stopped.is_set():
            again = False
            try:
                relayed = relay_once(
                    self._database,
                    self._queue,
                    now=self._clock(),
                    recheck_seconds=self._recheck_seconds,
                    max_attempts=self._max_attempts,
                )
                again = relayed.enqueued >= BATCH
            except Exception as error:
                # This thread must outlive every fault: nobody else would notice the lost jobs.
                self._on_error(type(error).__name__)
            self._stopped.wait(0.0 if again else self._interval_seconds)

    def stop(self, *, seconds: float = 5.0) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        if self.is_alive():
            self.join(seconds)


def _requeue_everything(database: Database) -> None:
    with database.write(durable=False) as connection:
        connection.execute(
            sa.update(jobs)
            .where(jobs.c.status == Status.RECEIVED, jobs.c.queued_at.is_not(None))
            .values(queued_at=None)
        )


def _look_up_waiting(database: Database, queue: Queue, *, now: datetime, recheck_seconds: float, limit: int) -> None:
    """Find the jobs that have waited for long and are not in the queue: popped by a worker that died, or lost."""
    query = (
        sa.select(jobs.c.id, jobs.c.fence)
        .where(jobs.c.status == Status.RECEIVED, jobs.c.queued_at <= now - timedelta(seconds=recheck_seconds))
        .order_by(jobs.c.queued_at)
        .limit(limit)
    )
    with database.read() as connection:
        waiting = [(row.id, row.fence) for row in connection.execute(query)]
    if not waiting:
        return
    found = queue.waiting(waiting)
    if found is None:
        return
    lost = [delivery for delivery, is_there in zip(waiting, found, strict=True) if not is_there]
    for job_id, fence in lost:
        queue.forget(job_id, fence)
    with database.write(durable=False) as connection:
        for (job_id, fence), is_there in zip(waiting, found, strict=True):
            connection.execute(
                sa.update(jobs)
                .where(jobs.c.id == job_id, jobs.c.fence == fence, jobs.c.status == Status.RECEIVED)
                .values(queued_at=now if is_there else None)
            )


def _queue_due(database: Database, queue: Queue, *, now: datetime, limit: int) -> int:
    query = (
        sa.select(jobs.c.id, jobs.c.fence)
        .where(
            jobs.c.status == Status.RECEIVED,
            jobs.c.queued_at.is_(None),
            jobs.c.available_at <= now,
            sa.not_(NEEDS_FETCH),
        )
        .order_by(jobs.c.available_at)
        .limit(limit)
    )
    with database.read() as connection:
        due = [(row.id, row.fence) for row in connection.execute(query)]
    return _queue_all(database, queue, due, now=now)


def _queue_all(database: Database, queue: Queue, due: list[tuple[str, int]], *, now: datetime) -> int:
    done = [(job_id, fence) for job_id, fence in due if queue.enqueue(job_id, fence)]
    if done:
        with database.write(durable=False) as connection:
            for job_id, fence in done:
                connection.execute(
                    sa.update(jobs)
                    .where(jobs.c.id == job_id, jobs.c.fence == fence, jobs.c.status == Status.RECEIVED)
                    .values(queued_at=now)
                )
    return len(done)


@contextmanager
def relaying(
    database: Database,
    queue: Queue,
    *,
    settings: StoreSettings,
    clock: Callable[[], datetime],
    on_error: Callable[[str], None],
) -> Iterator[None]:
    """A relay as the settings ask for it, for as long as the block lasts. Every api and worker process has one."""
    relay = Relay(
        database,
        queue,
        clock=clock,
        interval_seconds=settings.relay_interval_seconds,
        recheck_seconds=settings.recheck_seconds,
        max_attempts=settings.max_attempts,
        on_error=on_error,
    )
    relay.start()
    try:
        yield
    finally:
        relay.stop()
