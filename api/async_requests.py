"""This file finds the asynchronous request behind a status address, for the caller who made it and for nobody else.

An address is the id of a job, or of a submission where that was a transaction or batch. A repeat in another dialect
than the first is told an address that names its own after a point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.access.sight import Sight
from api.dialects import Ask
from api.parts import Parts
from api.receiving import KickOff, kick_off_from
from store import jobs, submissions
from store.errors import NotFound
from store.incoming import Received
from store.job_states import Status
from store.jobs import Job

_WHOLE_KINDS = frozenset({"transaction", "batch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncRequest:
    """One request that was answered by 202. `id` is the last part of its address; `ask` how it is to be answered.

    `whole` says that it stands for a transaction or batch with all its jobs, and not for one job.
    """

    id: str
    submission_id: str
    whole: bool
    jobs: tuple[Job, ...]
    kick_off: KickOff
    ask: Ask
    received: datetime

    @property
    def running(self) -> tuple[Job, ...]:
        """The jobs that have not ended."""
        return tuple(job for job in self.jobs if not job.finished)

    @property
    def cancelled(self) -> bool:
        """Whether the client has cancelled it, or let go of its result."""
        every = bool(self.jobs) and all(job.status == Status.CANCELLED for job in self.jobs)
        return every or (self.kick_off.released and not self.running)

    @property
    def ended(self) -> datetime:
        """When the last of its jobs ended; of a request without jobs, when it was received."""
        return max([self.received, *(job.finished_at for job in self.jobs if job.finished_at)])

    def kept_until(self, seconds: int) -> datetime:
        """Until when its result is kept, so many seconds after it ended or was last asked for by a repeat."""
        return max(self.ended, self.kick_off.asked_again or self.ended) + timedelta(seconds=seconds)


def find(sight: Sight, status_id: str) -> AsyncRequest:
    """The request of an address. Raises NotFound, also for another caller's; NotPermitted for less than it took."""
    parts = sight.parts
    identity, _, dialect = status_id.partition(".")
    whole, own = _jobs(parts, identity)
    kept = submissions.kick_off(parts.database, own[0].submission_id if own and not whole else identity)
    if kept.caller_id != sight.caller.identity or (whole and kept.kind not in _WHOLE_KINDS):
        raise NotFound("async-status", status_id)
    if not whole:  # a transaction has no scope of its own: its entries have
        sight.require("DiagnosticReport", "c")
        sight.require("DiagnosticReport", "r")
    kick_off = kick_off_from(kept.options)
    asks = {ask.dialect.value: ask for ask in kick_off.asks}
    if dialect and dialect not in asks:
        raise NotFound("async-status", status_id)
    return AsyncRequest(
        id=status_id,
        submission_id=kept.id,
        whole=whole,
        jobs=tuple(own),
        kick_off=kick_off,
        ask=asks[dialect] if dialect else kick_off.asks[0],
        received=kept.received_at,
    )


def _jobs(parts: Parts, identity: str) -> tuple[bool, list[Job]]:
    try:
        return False, [jobs.get(parts.database, identity)]
    except NotFound:
        return True, jobs.of_submission(parts.database, identity)


def release(parts: Parts, request: AsyncRequest) -> None:
    """Let go of the result of a request that has ended."""

    def released(options: bytes) -> bytes:
        return replace(kick_off_from(options), released=True).to_bytes()

    submissions.change(parts.database, request.submission_id, released)


def keep_again(parts: Parts, submission_id: str, *, ask: Ask | None = None) -> KickOff:
    """Keep a result for its time again, because it was asked for again, perhaps in another dialect."""

    def renewed(options: bytes) -> bytes:
        kept = kick_off_from(options)
        asks = kept.asks if ask is None or _knows(kept, ask) else (*kept.asks, ask)
        return replace(kept, asks=asks, released=False, asked_again=parts.clock()).to_bytes()

    return kick_off_from(submissions.change(parts.database, submission_id, renewed))


def address_of(parts: Parts, received: Received, *, own_id: str, ask: Ask) -> str:
    """The last part of the status address for a kick-off that asks so; `own_id` is the id of the job or submission."""
    if not received.repeated:
        return own_id
    first, *_ = keep_again(parts, received.submission_id, ask=ask).asks
    return own_id if ask.dialect is first.dialect else f"{own_id}.{ask.dialect}"


def _knows(kick_off: KickOff, ask: Ask) -> bool:
    return ask.dialect in {known.dialect for known in kick_off.asks}
