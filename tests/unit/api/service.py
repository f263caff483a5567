"""The HTTP door over a real SQLite file and a real Redis, in this process; jobs are run when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from api.access.authority import authority_of
from api.app import create_app
from api.listening import Listener
from api.settings import ApiSettings
from correlation.knowledge_base import load_knowledge
from ehr.settings import EhrSettings
from ehr.transport import Transport
from store.database import Database, open_database
from store.queue import Queue
from store.schema import upgrade
from store.settings import StoreSettings
from workers import jobs as worker_jobs

CASES = Path(__file__).parents[2] / "examples" / "cases"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
ASYNC = {**FHIR_JSON, "Prefer": "respond-async"}
KNOWLEDGE = load_knowledge()


def case(name: str) -> bytes:
    """The record of a public case."""
    return (CASES / f"{name}.bundle.json").read_bytes()


class Door:
    """A client of the service, and a hand on its jobs."""

    def __init__(self, client: httpx.Client, *, database: Database, queue: Queue, base: str) -> None:
        self.client = client
        self.database = database
        self.queue = queue
        self.base = base
        self._worker = worker_jobs.Parts(
            database=database,
            queue=queue,
            knowledge=KNOWLEDGE,
            clock=_now,
            settings=StoreSettings(),
            software_version="0.1.0",
            worker="tests",
        )

    def run(self, job_id: str) -> None:
        """Do one job as a worker would."""
        worker_jobs.correlate(job_id, parts=self._worker)

    def correlate(self, body: bytes | str, **headers: str) -> dict[str, Any]:
        """Send a record, do its job, and give the result Bundle."""
        accepted = self.client.post("/$correlate", content=body, headers={**ASYNC, **headers})
        assert accepted.status_code == 202, accepted.text
        status_url = accepted.headers["Content-Location"]
        self.run(status_url.rsplit("/", 1)[1])
        done = self.client.get(status_url, headers=headers)
        assert done.status_code == 200, done.text
        bundle: dict[str, Any] = done.json()["entry"][0]["resource"]
        return bundle


@contextmanager
def running_door(
    folder: Path,
    redis_url: str,
    *,
    busy_timeout_seconds: float = 30.0,
    database_url: str | None = None,
    ehr: EhrSettings | None = None,
    **settings: Any,
) -> Iterator[Door]:
    """The door, listening on a free port until the block ends. With ``access="smart"`` the issuer is on loopback."""
    api_settings = ApiSettings(port=0, wait_seconds=0, **settings)
    address = database_url or f"sqlite:///{folder / 'record.sqlite3'}"
    database = open_database(address, busy_timeout_seconds=busy_timeout_seconds)
    upgrade(database)
    queue = Queue(redis_url)
    transport = Transport(private_hosts=frozenset({"127.0.0.1"}), timeout_seconds=5)
    app = create_app(
        api_settings,
        database=database,
        queue=queue,
        knowledge=KNOWLEDGE,
        clock=_now,
        authority=authority_of(api_settings, transport) if api_settings.access == "smart" else None,
        ehr=ehr or EhrSettings(),
    )
    with Listener(app, host="127.0.0.1", port=0) as listener, httpx.Client(base_url=listener.base_url) as client:
        yield Door(client, database=database, queue=queue, base=listener.base_url)
    transport.close()
    queue.close()
    database.close()


def _now() -> datetime:
    return datetime.now(UTC)
