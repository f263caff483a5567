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
    notifications,
    own_keys,
    resources,
    search,
    single_writes,
    tasks,
    transactions,
    validate,
)
from api.access import discovery
from api.access.authority import Authority
from api.access.errors import AccessNotPossible
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
from ehr.keys import OwnKeys
from ehr.settings import EhrSettings
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
# These are not FHIR JSON, whatever is asked for in Accept.
_OTHER_ROUTERS: tuple[APIRouter, ...] = (
    discovery.router,
    async_status.files_router,
    notifications.router,
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
    authority: Authority | None = None,
    repeat_window_seconds: float = DAY_SECONDS,
    ehr: EhrSettings = EhrSettings(),  # noqa: B008 - it is frozen
) -> FastAPI:
    """The application over these parts; `authority` for `smart` access, and for no other.

    Raises AccessNotPossible where the access asked for cannot be given safely.
    """
    if authority is None:
        check_access(settings)
    if (settings.access == "smart") != (authority is not None):
        raise AccessNotPossible("smart access needs an authority, and open access has none.")
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
        authority=authority,
        database=database,
        queue=queue,
        knowledge=knowledge,
        clock=clock,
        waiting=threading.BoundedSemaphore(settings.max_waiting),
        pace=PollingPace(settings.polls_per_second),
        software_version=software_version,
        repeat_window_seconds=repeat_window_seconds,
        ehr=ehr,
        own_keys=OwnKeys(ehr.key_set) if ehr.key_set else None,
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
