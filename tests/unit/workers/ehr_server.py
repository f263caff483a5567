"""A small EHR on loopback, whose patients a test writes, and a worker's errands to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from correlation.knowledge_base import load_knowledge
from ehr.settings import EhrSettings
from store.database import Database
from store.queue import Queue
from store.settings import StoreSettings
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.unit.ehr.clients import searchset
from workers.fetching import fetch_next
from workers.jobs import Parts, correlate
from workers.listening import listen_next
from workers.servers import Servers

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DELAYS = (1.0, 5.0)
LEASE_SECONDS = 60.0
POLL_SECONDS = 60.0
NAME = "main"


class Errands:
    """A worker whose clock a test moves, and its EHR: `answers` by the beginning of a path stand before the record.

    `told` hears every path that is asked for.
    """

    def __init__(self, database: Database, queue: Queue, **settings: Any) -> None:
        self.answers: dict[str, Reply] = {}
        self.told: Callable[[str], object] = lambda path: None
        self.now = NOW
        self._record: list[dict[str, Any]] = []
        self.server = Loopback(self._answer)
        ehr = EhrSettings(
            servers=(f"{NAME}={self.base_url}",),
            allow=("127.0.0.1",),
            subscribe=(NAME,),
            poll_seconds=POLL_SECONDS,
            attempts=1,
            **settings,
        )
        self.parts = Parts(
            database=database,
            queue=queue,
            knowledge=load_knowledge(),
            clock=lambda: self.now,
            settings=replace(StoreSettings(), retry_delays_seconds=DELAYS, lease_seconds=LEASE_SECONDS),
            software_version="test",
            worker="tests",
            ehr=ehr,
        )
        self.servers = Servers(ehr)

    @property
    def base_url(self) -> str:
        """The EHR's FHIR base."""
        return f"{self.server.base_url}/fhir"

    def add(self, type_: str, id_: str, *, updated: str | None = None, **content: Any) -> None:
        """Something new in the EHR, which says when, or has it from now."""
        meta = {"versionId": "1", "lastUpdated": updated or self.now.isoformat()}
        self._record.append({"resourceType": type_, "id": id_, "meta": meta, **content})

    def add_patient(self, id_: str) -> None:
        """A patient with an imaging study, which is what listening hears of."""
        identifier = [{"system": "https://ehr.example/mrn", "value": id_}]
        self.add("Patient", id_, identifier=identifier)
        subject = {"reference": f"Patient/{id_}"}
        self.add("ImagingStudy", f"ct-{id_}", status="available", subject=subject, modality=[{"code": "CT"}])

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)

    def listen(self) -> bool:
        """Ask what is new, as soon as it is time to."""
        self.wait(POLL_SECONDS + 1)
        return listen_next(self.parts, self.servers)

    def fetch(self) -> bool:
        """Do a fetch that is due."""
        return fetch_next(self.parts, self.servers)

    def correlate(self, job_id: str) -> None:
        """Do a job."""
        correlate(job_id, parts=self.parts)

    def _answer(self, request: Received) -> Reply:
        path = request.path.removeprefix("/fhir/")
        self.told(path)
        for beginning, answer in self.answers.items():
            if path.startswith(beginning):
                return answer
        type_, _, id_ = urlsplit(path).path.partition("/")
        found = [one for one in self._record if one["resourceType"] == type_ and id_ in ("", one["id"])]
        if id_ or type_ == "metadata":
            return reply(found[0]) if found else reply({}, status=404)
        query = parse_qs(urlsplit(path).query)
        subjects = [f"Patient/{one}" for one in query.get("patient", ())]
        bounds = [(one[:2], _moment(one[2:])) for one in query.get("_lastUpdated", ())]
        matching = [
            one
            for one in found
            if all(one["subject"]["reference"] == subject for subject in subjects)
            and all((_moment(one["meta"]["lastUpdated"]) >= moment) is (prefix == "ge") for prefix, moment in bounds)
        ]
        newest_first = query.get("_sort") == ["-_lastUpdated"]
        matching.sort(key=lambda one: _moment(one["meta"]["lastUpdated"]), reverse=newest_first)
        return reply(searchset(*matching))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


@contextmanager
def errands_of(
    database: Database, queue: Queue, *, answers: Callable[[Errands], dict[str, Reply]] = lambda _: {}, **settings: Any
) -> Iterator[Errands]:
    """A worker whose first question to the EHR was answered: from now on all is news."""
    errands = Errands(database, queue, **settings)
    errands.answers = answers(errands)
    with errands.server:
        assert errands.listen()
        yield errands
    errands.servers.close()
