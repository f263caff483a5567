"""This file starts one worker process: settings, database, knowledge, relay, then RQ's loop until SIGTERM or Ctrl-C.

One queue per worker, no fork per job (RQ's SimpleWorker): importing and loading is paid once. SIGTERM lets the
current job end; a second one more than a second later does not. Measured reasons: docs/decisions.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import cast

import redis
import structlog
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from correlation.errors import KnowledgeError
from correlation.knowledge_base import knowledge_files, load_knowledge, pack
from ehr.settings import EhrSettings
from store import knowledge_editions
from store.database import Database, open_database
from store.environment import check_rooms, read_settings
from store.errors import Busy, SettingsError, StoreError
from store.outbox import relaying
from store.queue import QUEUE_NAME, Queue, connect
from store.schema import upgrade
from store.settings import StoreSettings
from workers import jobs
from workers.errands import doing_errands
from workers.settings import WorkerSettings

_log = structlog.get_logger("fillertrace.worker")
_PAUSE_SECONDS = 1.0
_RQ_MARGIN_SECONDS = 15  # RQ waits this much less than a worker's time to live


class CorrelationWorker(SimpleWorker):
    """RQ's worker that runs jobs in this process. It remembers that it was asked to stop."""

    asked_to_stop = False
    max_connection_wait_time = 5.0  # after Redis was away; RQ would wait a minute

    def handle_warm_shutdown_request(self) -> None:
        """RQ calls this on the first SIGTERM or SIGINT."""
        self.asked_to_stop = True


def main() -> int:
    """Run with the environment of this process; the exit code."""
    return run(dict(os.environ))


def run(environ: Mapping[str, str]) -> int:
    """Run one worker until it is asked to stop: 0. 2: wrong settings. 1: it cannot work."""
    try:
        check_rooms(environ)
        settings = read_settings(WorkerSettings, environ, room="workers")
        store_settings = read_settings(StoreSettings, environ, room="store")
        if not (store_settings.database_url and store_settings.redis_url):
            raise SettingsError("set FILLERTRACE_DATABASE_URL and FILLERTRACE_REDIS_URL, or use `fillertrace serve`")
        _configure_logs(settings.log_level)
        work(settings, store_settings, read_settings(EhrSettings, environ, room="ehr"))
    except SettingsError as reason:
        print(f"fillertrace worker: {reason}", file=sys.stderr)
        return 2
    except (StoreError, KnowledgeError) as reason:
        print(f"fillertrace worker: {reason}", file=sys.stderr)
        return 1
    return 0


def work(settings: WorkerSettings, store_settings: StoreSettings, ehr: EhrSettings) -> None:
    """Open everything, work until asked to stop, close everything."""
    database = open_database(
        store_settings.database_url or "",
        pool_size=store_settings.pool_size,
        busy_timeout_seconds=store_settings.busy_timeout_seconds,
    )
    queue = Queue(store_settings.redis_url or "", job_timeout_seconds=store_settings.job_timeout_seconds)
    try:
        _upgrade_patiently(database, seconds=settings.start_timeout_seconds)
        queue.check()
        knowledge = load_knowledge()
        knowledge_editions.keep(
            database, knowledge.digest, edition=knowledge.edition, files=pack(knowledge_files()), now=_now()
        )
        parts = jobs.Parts(
            database=database,
            queue=queue,
            knowledge=knowledge,
            clock=_now,
            settings=store_settings,
            software_version=version("fillertrace"),
            worker=f"{os.uname().nodename}-{os.getpid()}-{time.time_ns()}",
            ehr=ehr,
        )
        jobs.set_up(parts)
        gc.freeze()  # what is loaded now stays for ever: the collector need not look at it again
        with (
            relaying(
                database,
                queue,
                settings=store_settings,
                clock=_now,
                on_error=lambda name: _log.warning("relay-failed", error=name),
            ),
            doing_errands(parts),
        ):
            _take_jobs(parts, settings)
    finally:
        queue.close()
        database.close()


def _take_jobs(parts: jobs.Parts, settings: WorkerSettings) -> None:
    """RQ's loop ends when Redis goes away in the wrong moment; then it is begun again."""
    connection = connect(parts.queue.redis_url, answer_seconds=None)
    _log.info("worker-started", worker=parts.worker, edition=parts.knowledge.edition)
    while True:
        worker: CorrelationWorker | None = None
        try:
            worker = CorrelationWorker(
                [QUEUE_NAME],
                name=f"{parts.worker}-{time.time_ns()}",
                connection=connection,
                serializer=JSONSerializer,
                maintenance_interval=settings.maintenance_interval_seconds,
                worker_ttl=settings.maintenance_interval_seconds + _RQ_MARGIN_SECONDS,
                log_job_description=False,
            )
            worker.log_result_lifespan = False
            worker.work(logging_level="WARNING")
        except redis.RedisError as error:
            _log.warning("redis-away", error=type(error).__name__)
        if worker is not None and worker.asked_to_stop:
            break
        time.sleep(_PAUSE_SECONDS)
    connection.close()
    _log.info("worker-stopped", worker=parts.worker)


def _upgrade_patiently(database: Database, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            upgrade(database)
        except Busy:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _configure_logs(level: str) -> None:
    number = cast(int, getattr(logging, level))
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
