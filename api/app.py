"""This file puts the HTTP door together: the parts, the routes, the error table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from api import (
    async_status,
    correlate,
    health,
    metadata,
    metrics,
    reports,
    resources,
    tasks,
    transactions,
)
from api.access.guard import check_access
from api.content import check_accept
from api.errors import add_error_answers
from api.parts import Parts
from api.request_log import RequestLog
from api.settings import ApiSettings
from correlation.catalogue import Knowledge
from store.database import Database
from store.intake import DAY_SECONDS
from store.queue import Queue

# The first route that fits counts: the addresses with a name of their own stand before Type/id.
_FHIR_ROUTERS: tuple[APIRouter, ...] = (
    metadata.router,
    correlate.router,
    transactions.router,
    async_status.router,
    tasks.router,
    reports.router,
    resources.router,
)
_OTHER_ROUTERS: tuple[APIRouter, ...] = (health.router, metrics.router)


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
        software_version=software_version,
        repeat_window_seconds=repeat_window_seconds,
    )
    app.state.methods_at = methods_at
    for router in _FHIR_ROUTERS:
        app.include_router(router, dependencies=[Depends(check_accept)])
    for router in _OTHER_ROUTERS:
        app.include_router(router)
    add_error_answers(app)
    app.add_middleware(_request_log)
    return app


def routes() -> Iterable[APIRoute]:
    """Every route of ours, in the order in which they are tried."""
    for router in (*_FHIR_ROUTERS, *_OTHER_ROUTERS):
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route


def methods_at(path: str) -> frozenset[str]:
    """The methods that an address takes, over all routes that fit it."""
    return frozenset(method for route in routes() if route.path_regex.match(path) for method in route.methods or ())


def _request_log(app: ASGIApp) -> RequestLog:
    return RequestLog(app)
