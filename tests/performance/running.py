"""The services under measurement, and what their record says about jobs."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.performance.costs import use_of, workers_of
from tests.servers import processes
from tests.servers.redis import RedisServer
from tests.servers.service import Service

_DEADLINE = 600.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """CPU seconds and resident memory (kB) of the API process and of its workers."""

    api_seconds: float
    worker_seconds: float
    api_kb: int
    worker_kb: tuple[int, ...]

    def since(self, before: "Cost") -> float:
        """CPU seconds spent by API and workers since then."""
        return self.api_seconds + self.worker_seconds - before.api_seconds - before.worker_seconds


class Serving:
    """A `fillertrace serve` with its record in a folder."""

    def __init__(self, service: Service, record: Path) -> None:
        self.base_url = service.base_url
        self._service = service
        self._record = record

    def cost(self) -> Cost:
        """What it has cost so far."""
        pid = self._service.process.pid
        api, workers = use_of(pid), [use_of(worker) for worker in workers_of(pid)]
        return Cost(
            api_seconds=api.cpu_seconds,
            worker_seconds=sum(worker.cpu_seconds for worker in workers),
            api_kb=api.rss_kb,
            worker_kb=tuple(worker.rss_kb for worker in workers),
        )

    def wait_until_done(self) -> None:
        """Wait until no job is open. Raises RuntimeError where one has failed or it takes too long."""
        wait_until_done(self._record)


@contextmanager
def serving(folder: Path, *, workers: int, settings: Mapping[str, str] | None = None) -> Iterator[Serving]:
    """A `fillertrace serve`, ended with the block."""
    folder.mkdir()
    data = folder / "data"
    arguments = ("--port", "0", "--data", str(data), "--workers", str(workers))
    service = Service("serve", *arguments, folder=folder, settings=settings)
    with service:
        yield Serving(service, data / "fillertrace.sqlite3")


def wait_until_done(record: Path) -> None:
    """Wait until every job of this record has completed."""
    deadline = time.monotonic() + _DEADLINE
    with closing(sqlite3.connect(record)) as database:
        while True:
            states = dict(database.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())
            if states.keys() <= {"completed"}:
                return
            if "failed" in states or time.monotonic() > deadline:
                raise RuntimeError(f"the jobs did not all complete: {states}")
            time.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class Apart:
    """An API without workers, so that the workers' part can be measured by itself."""

    api: Service
    record: Path
    settings: dict[str, str]
    folder: Path

    def drain(self, *, workers: int) -> float:
        """Start so many workers on what waits; jobs per second while all of them were at work."""
        before = datetime.now().astimezone()
        running = [Service("worker", folder=self.folder, settings=self.settings).start() for _ in range(workers)]
        try:
            wait_until_done(self.record)
        finally:
            for worker in running:
                worker.stop()
        return _steady_rate(self.record, since=before)


@contextmanager
def apart(folder: Path) -> Iterator[Apart]:
    """An API and a Redis, no worker."""
    folder.mkdir()
    record = folder / "record.sqlite3"
    with RedisServer() as redis:
        settings = {
            "FILLERTRACE_REDIS_URL": redis.url,
            "FILLERTRACE_DATABASE_URL": f"sqlite:///{record}",
            "FILLERTRACE_API_PORT": str(processes.free_port()),
        }
        with Service("api", folder=folder, settings=settings) as api:
            yield Apart(api=api, record=record, settings=settings, folder=folder)


def _steady_rate(record: Path, *, since: datetime) -> float:
    """Jobs per second between the first and the last quarter: the workers start and end at different moments."""
    with closing(sqlite3.connect(record)) as database:
        rows = database.execute("SELECT finished_at FROM jobs ORDER BY finished_at").fetchall()
    moments = [datetime.fromisoformat(f"{finished}+00:00") for (finished,) in rows]
    times = [moment for moment in moments if moment >= since]
    first, last = len(times) // 4, len(times) * 3 // 4
    return (last - first) / (times[last] - times[first]).total_seconds()
