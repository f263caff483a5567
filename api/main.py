"""This file reads the environment and opens the HTTP door, for `fillertrace api` and `fillertrace serve`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from fastapi import FastAPI
from joserfc.errors import SecurityWarning

from admission.search_terms import complete_index
from api.access.authority import authority_of
from api.access.guard import OPEN_ACCESS_WARNING, check_access
from api.app import create_app
from api.settings import ApiSettings
from correlation.knowledge_base import knowledge_files, load_knowledge, pack
from ehr.settings import EhrSettings
from ehr.transport import Transport
from store import knowledge_editions
from store.database import open_database
from store.environment import check_rooms, read_settings
from store.outbox import relaying
from store.queue import Queue
from store.schema import upgrade
from store.settings import StoreSettings

_ISSUER_SECONDS = 5.0
_ISSUER_BYTES = 1024 * 1024
_log = structlog.get_logger("fillertrace.api")


def check_settings(
    environ: Mapping[str, str], *, host: str | None = None, port: int | None = None
) -> tuple[ApiSettings, StoreSettings]:
    """The settings of door and record; `host` and `port` of the command line win.

    Raises SettingsError, AccessNotPossible.
    """
    check_rooms(environ)
    settings = read_settings(ApiSettings, environ, room="api")
    settings = replace(
        settings, host=settings.host if host is None else host, port=settings.port if port is None else port
    )
    check_access(settings, plain_hosts=frozenset(read_settings(EhrSettings, environ, room="ehr").allow))
    return settings, read_settings(StoreSettings, environ, room="store")


@contextmanager
def open_application(settings: ApiSettings, environ: Mapping[str, str]) -> Iterator[FastAPI]:
    """The application over the record and the queue that the environment names; closes both at the end.

    Raises StoreError, KnowledgeError.
    """
    store_settings = read_settings(StoreSettings, environ, room="store")
    ehr = read_settings(EhrSettings, environ, room="ehr")
    configure_logs()
    knowledge = load_knowledge()
    database = open_database(
        store_settings.database_url or "",
        pool_size=store_settings.pool_size,
        busy_timeout_seconds=store_settings.busy_timeout_seconds,
    )
    with ExitStack() as closing:
        closing.callback(database.close)
        queue = Queue(store_settings.redis_url or "", job_timeout_seconds=store_settings.job_timeout_seconds)
        closing.callback(queue.close)
        upgrade(database)
        knowledge_editions.keep(
            database, knowledge.digest, edition=knowledge.edition, files=pack(knowledge_files()), now=_now()
        )
        queue.check()
        indexed = complete_index(database)
        if indexed:
            _log.info("search-index-completed", resources=indexed)
        authority = None
        if settings.access == "smart":
            authority = authority_of(settings, closing.enter_context(_issuer_transport(ehr)))
        else:
            _log.warning("open-access", says=OPEN_ACCESS_WARNING)
        closing.enter_context(
            relaying(
                database,
                queue,
                settings=store_settings,
                clock=_now,
                on_error=lambda name: _log.warning("relay-failed", error=name),
            )
        )
        yield create_app(
            settings,
            database=database,
            queue=queue,
            knowledge=knowledge,
            clock=_now,
            authority=authority,
            repeat_window_seconds=store_settings.repeat_window_seconds,
            ehr=ehr,
        )


def _issuer_transport(settings: EhrSettings) -> Transport:
    """Connections to the issuer: requests wait for its answer, so it has less time and fewer bytes than an EHR."""
    return replace(
        settings,
        timeout_seconds=min(settings.timeout_seconds, _ISSUER_SECONDS),
        max_bytes=min(settings.max_bytes, _ISSUER_BYTES),
    ).transport()


def configure_logs() -> None:
    """One JSON object per line on stderr. The lines carry ids, codes and times, never a value from a record."""
    warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)  # in favour of its name
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    )


def _now() -> datetime:
    return datetime.now(UTC)
