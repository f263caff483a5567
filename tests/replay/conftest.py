"""The record on both engines, the queue on a real Redis, and a worker's parts over them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from correlation.catalogue import Knowledge
from correlation.knowledge_base import load_knowledge
from store import jobs
from store.database import Database
from store.queue import Queue
from store.settings import StoreSettings
from tests.replay.records import send
from tests.unit.store.conftest import database, empty_url, queue
from workers.jobs import Parts, correlate

__all__ = ["database", "empty_url", "queue"]

NOW = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """A record and its worker."""

    database: Database
    queue: Queue

    def report(self, raw: bytes, *, now: datetime = NOW, knowledge: Knowledge | None = None) -> tuple[str, int]:
        """Send a record, do its job as a worker does, and give report and version."""
        parts = Parts(
            database=self.database,
            queue=self.queue,
            knowledge=knowledge or load_knowledge(),
            clock=lambda: now,
            settings=StoreSettings(),
            software_version="0.1.0",
            worker="replay",
        )
        job_id, _ = send(self.database, raw, now=now)
        correlate(job_id, parts=parts)
        job = jobs.get(self.database, job_id)
        assert job.report_id is not None, job
        assert job.report_version is not None
        return job.report_id, job.report_version


@pytest.fixture
def clinic(database: Database, queue: Queue) -> Clinic:
    return Clinic(database=database, queue=queue)
