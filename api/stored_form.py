"""This file gives stored resources the form in which a client reads them: what was kept, with our id and version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import loads
from store.resources import StoredResource


def as_read(
    content: bytes, *, identity: str, version: int, modified: datetime, source_url: str | None = None
) -> dict[str, Any]:
    """The resource with `id` and `meta` of ours; all else as kept, digit for digit.

    Of `meta`, `versionId` and `lastUpdated` are ours, and `source` is the address it came from, where it came from one.
    """
    kept: dict[str, Any] = loads(content)
    ours = {"versionId": str(version), "lastUpdated": instant(modified)}
    if source_url is not None:
        ours["source"] = source_url
    rest = {name: value for name, value in kept.items() if name not in {"resourceType", "id", "meta"}}
    return {
        "resourceType": kept["resourceType"],
        "id": identity,
        "meta": {**ours, **{name: value for name, value in _mapping(kept.get("meta")).items() if name not in ours}},
        **rest,
    }


def received_as_read(kept: StoredResource) -> dict[str, Any]:
    """A resource that was received, as a client reads it."""
    return as_read(
        kept.content,
        identity=kept.id,
        version=kept.version,
        modified=kept.recorded_at,
        source_url=kept.source_url,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
