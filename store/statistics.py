"""This file counts what /metrics and /health show, from the record, when asked. No ids, no values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from store.database import Database
from store.job_states import Status
from store.tables import jobs, patients, reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The state of the work.

    `jobs` counts by Task status. `oldest_waiting_seconds` is the age of the oldest job not finished, 0 when there is
    none. `recent_seconds` are the times from receipt to completion of the jobs completed in the last five minutes (at
    most 1,000). `attempts_again` counts open jobs that have failed at least once.
    """

    jobs: Mapping[str, int]
    oldest_waiting_seconds: float
    attempts_again: int
    patients: int
    living_reports: int
    recent_seconds: tuple[float, ...]


def count(database: Database, *, now: datetime) -> Statistics:
    """Count now."""
    open_job = jobs.c.status.in_([Status.RECEIVED, Status.IN_PROGRESS])
    recent = (
        sa.select(jobs.c.created_at, jobs.c.finished_at)
        .where(jobs.c.status == Status.COMPLETED, jobs.c.finished_at > now - timedelta(minutes=5))
        .order_by(jobs.c.finished_at.desc())
        .limit(1000)
    )
    with database.read() as connection:
        by_status = {
            row[0]: row[1]
            for row in connection.execute(sa.select(jobs.c.status, sa.func.count()).group_by(jobs.c.status))
        }
        oldest = connection.scalar(sa.select(sa.func.min(jobs.c.created_at)).where(open_job))
        again = connection.scalar(sa.select(sa.func.count()).select_from(jobs).where(open_job, jobs.c.attempts > 1))
        people = connection.scalar(sa.select(sa.func.count()).select_from(patients))
        living = connection.scalar(sa.select(sa.func.count()).select_from(reports).where(reports.c.living))
        seconds = tuple((row.finished_at - row.created_at).total_seconds() for row in connection.execute(recent))
    return Statistics(
        jobs={status.value: by_status.get(status.value, 0) for status in Status},
        oldest_waiting_seconds=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
        attempts_again=again or 0,
        patients=people or 0,
        living_reports=living or 0,
        recent_seconds=seconds,
    )
