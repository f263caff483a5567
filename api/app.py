"""This file puts the HTTP door together: the parts, the routes, the error table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api import (
    artefacts,
    async_status,
    correlate,
    evidence,
    explain,
    health,
    history,
    metadata,
    metrics,
    own_keys,
    resources,
    search,
    single_writes,
    tasks,
    transactions,
    validate,
)
from api.access.guard import check_access
from api.addresses import GENERIC, methods_of_type, shape_of
from api.content import check_accept
from api.cross_origin import CrossOrigin
from api.errors import add_error_answers
from api.head_requests import HeadRequests
from api.openapi.document import describe
from api.openapi.page import add_page
from api.parts import Parts
from api.polling_pace import PollingPace
from api.request_log import RequestLog
from api.settings import ApiSettings
from correlation.catalogue import Knowledge
from store.database import Database
from store.intake import DAY_SECONDS
from store.queue import Queue

# The first route that fits counts: the addresses with a name of their own stand before Type/id.
_FHIR_ROUTERS: tuple[APIRouter, ...] = (
    metadata.router,
    artefacts.router,
    validate.router,
    correlate.router,
    transactions.router,
    async_status.router,
    tasks.router,
    explain.router,
    search.router,
    resources.router,
    history.router,
    single_writes.router,
)
_OTHER_ROUTERS: tuple[APIRouter, ...] = (
    async_status.files_router,
    own_keys.router,
    evidence.router,
    health.router,
    metrics.router,
)


def create_app(
    settings: ApiSettings,
    *,
    database: Database,
    queue: Queue,
    knowledge: Knowledge,
    clock: Callable[[], datetime],
    repeat_window_seconds: float = DAY_SECONDS,
) -> FastAPI:
    """The application over these parts. Raises AccessNotPossible where the access asked for cannot be given safely."""
    check_access(settings.access, host=settings.host)
    software_version = version("fillertrace")
    app = FastAPI(
        title="Fillertrace",
        summary="Correlates dermal filler history with imaging and laboratory findings, in FHIR R4.",
        version=software_version,
        docs_url=None,  # FastAPI's own page loads its script from another host; ours is api/openapi/page.py
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = Parts(
        settings=settings,
        database=database,
        queue=queue,
        knowledge=knowledge,
        clock=clock,
        waiting=threading.BoundedSemaphore(settings.max_waiting),
        pace=PollingPace(settings.polls_per_second),
        software_version=software_version,
        repeat_window_seconds=repeat_window_seconds,
    )
    app.state.methods_at = methods_at
    for router in _FHIR_ROUTERS:
        app.include_router(router, dependencies=[Depends(check_accept)])
    for router in _OTHER_ROUTERS:
        app.include_router(router)
    add_error_answers(app)
    describe(app, routes())
    add_page(app)
    # The last added is the outermost: every request is in the log, whatever became of it.
    app.add_middleware(HeadRequests)
    app.add_middleware(CrossOrigin, origins=settings.cors_origins)
    app.add_middleware(RequestLog)
    return app


def routes() -> Iterable[APIRoute]:
    """Every route of ours, in the order in which they are tried."""
    for router in (*_FHIR_ROUTERS, *_OTHER_ROUTERS):
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route


def methods_at(path: str) -> frozenset[str]:
    """The methods that an address takes, over all routes that fit it; of what all types share, those of its type."""
    is_named = path.rpartition("/")[2].startswith(("$", "_"))  # an operation or a search: no id begins so
    own = {
        method
        for route in routes()
        if route.path_regex.match(path)
        and route.path_format.removeprefix("/fhir") not in GENERIC
        and not (is_named and route.path_format.endswith("}"))
        for method in route.methods or ()
    }
    found = shape_of(path)
    every = own | (methods_of_type(*found) if found else set())
    return frozenset({*every, "HEAD"} if "GET" in every else every)
