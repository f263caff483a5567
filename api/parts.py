"""This file names what the routes work with: put together once in app.py, handed to each route by `parts_of`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from api.access.authority import Authority
from api.access.loopback import is_loopback
from api.polling_pace import PollingPace
from api.settings import ApiSettings
from correlation.catalogue import Knowledge
from ehr.keys import OwnKeys
from ehr.settings import EhrSettings
from fhir_mappings.limits import Limits
from store.database import Database
from store.queue import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The settings, the record, the queue, the knowledge base and the clock of one running service.

    `authority` says who calls; it is None with open access alone. `ehr` are the servers that we call,
    `own_keys` those we sign with there.
    `waiting` bounds how many requests may hold a thread while they wait for a worker, so that the others are answered;
    `pace` says when a running job is asked for far too often;
    `stopping` is set when the service is asked to end, and they then wait no longer.
    """

    settings: ApiSettings
    authority: Authority | None
    database: Database
    queue: Queue
    knowledge: Knowledge
    clock: Callable[[], datetime]
    waiting: threading.BoundedSemaphore
    pace: PollingPace
    software_version: str
    repeat_window_seconds: float
    ehr: EhrSettings = field(default_factory=EhrSettings)
    own_keys: OwnKeys | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def write_back_to(self) -> Mapping[str, str]:
        """The EHRs that get reports written back: name and base address."""
        return self.ehr.write_back_bases()

    @property
    def limits(self) -> Limits:
        """How large and how deep a body may be."""
        return Limits(bytes=self.settings.max_bytes, depth=self.settings.max_depth)


def parts_of(request: Request) -> Parts:
    """The parts of the service that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


GivenParts = Annotated[Parts, Depends(parts_of)]
"""The type of a route's parameter that is given the parts."""


def base_of(request: Request) -> str:
    """The address of our FHIR base as the caller knows it, without a slash at the end."""
    settings = parts_of(request).settings
    as_named = settings.base_url is None and is_loopback(request.url.hostname or "")
    said = None if as_named else settings.said_base
    return said or f"{str(request.base_url).rstrip('/')}/fhir"


def log_ids(request: Request, **ids: object) -> None:
    """Add ids to the log line of this request."""
    request.state.logged = {**getattr(request.state, "logged", {}), **ids}
