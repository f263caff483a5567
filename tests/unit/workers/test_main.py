"""A real worker process: settings, stopping, dying."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from store import jobs, outbox
from store.database import Database
from store.queue import Queue
from tests.unit.store.builders import person, receive, resource
from workers.main import run


def _now() -> datetime:
    return datetime.now(UTC)


def _send(database: Database, queue: Queue, mrn: str) -> str:
    received = receive(database, person(resource("Basic", "nothing"), mrn=mrn), now=_now())
    outbox.hand_over(database, queue, received.jobs)
    return received.jobs[0].job_id


@contextmanager
def _worker(database: Database, queue: Queue) -> Iterator[subprocess.Popen[str]]:
    environ = {
        **os.environ,
        "FILLERTRACE_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "FILLERTRACE_REDIS_URL": queue.redis_url,
        "FILLERTRACE_STORE_LEASE_SECONDS": "3",
    }
    command = [sys.executable, "-m", "workers.main"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_worker_does_its_jobs_and_stops_when_asked(database: Database, queue: Queue) -> None:
    with _worker(database, queue) as process:
        for mrn in ("1", "2"):
            job = outbox.wait_until_finished(database, queue, _send(database, queue, mrn), seconds=60)
            assert (job.status, job.reason) == ("completed", "no-report")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_job_of_a_dead_worker_is_done_by_the_next(database: Database, queue: Queue) -> None:
    job_id = _send(database, queue, "1")
    jobs.claim(database, job_id, worker="dead", now=_now(), lease_seconds=1)
    with _worker(database, queue):
        job = outbox.wait_until_finished(database, queue, job_id, seconds=60)
    assert (job.status, job.attempts) == ("completed", 2)


def test_a_wiped_redis_stops_no_worker(database: Database, queue: Queue) -> None:
    import redis

    with _worker(database, queue), redis.Redis.from_url(queue.redis_url) as client:
        outbox.wait_until_finished(database, queue, _send(database, queue, "0"), seconds=60)
        sent = [_send(database, queue, str(number)) for number in range(1, 6)]
        client.flushall()
        started = time.monotonic()
        for job_id in sent:
            assert outbox.wait_until_finished(database, queue, job_id, seconds=60).status == "completed"
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "environ",
    [{}, {"FILLERTRACE_WORKERS_LOG_LEVEL": "LOUD"}, {"FILLERTRACE_STORE_NONSENSE": "1"}, {"FILLERTRACE_NONSENSE": "1"}],
)
def test_wrong_settings_are_said_and_end_with_2(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ) == 2
    assert "fillertrace worker: " in capsys.readouterr().err
