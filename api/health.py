"""This file says whether the service lives, and whether it can do its work. No patient data, no access needed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.parts import GivenParts
from fhir_mappings.resource_json import dumps

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("/live", summary="The process answers")
def live() -> Response:
    """200 as long as the process answers at all; asks nothing else."""
    return _json({"status": "live"})


@router.get("/ready", summary="Database, queue and knowledge base are in reach")
def ready(parts: GivenParts) -> Response:
    """200 when record and queue answer, else 503. An overdue review of the knowledge base is shown and changes nothing.

    Without Redis nothing accepted is lost, yet no report is made: that is not ready.
    """
    knowledge, today = parts.knowledge, parts.clock().date()
    checks = {"database": parts.database.answers(), "redis": parts.queue.answers()}
    overdue = knowledge.next_review is not None and knowledge.next_review < today
    body = {
        "status": "ready" if all(checks.values()) else "not ready",
        "checks": {name: "ok" if fine else "no answer" for name, fine in checks.items()},
        "software": parts.software_version,
        "access": parts.settings.access,
        "knowledge": {
            "edition": knowledge.edition,
            "digest": knowledge.digest,
            "status": knowledge.status,
            "next_review": knowledge.next_review.isoformat() if knowledge.next_review else None,
            "review_overdue": overdue,
        },
    }
    return _json(body, status=200 if all(checks.values()) else 503)


def _json(body: dict[str, Any], *, status: int = 200) -> Response:
    return Response(
        dumps(body), status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )
