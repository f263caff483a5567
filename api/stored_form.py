"""This file gives stored resources the form in which a client reads them: what was kept, with our id and version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import loads


def as_read(content: bytes, *, identity: str, version: int, modified: datetime) -> dict[str, Any]:
    """The resource with `id`, `meta.versionId` and `meta.lastUpdated` of ours; all else as kept, digit for digit."""
    kept: dict[str, Any] = loads(content)
    meta = kept.get("meta")
    ours = {"versionId": str(version), "lastUpdated": instant(modified)}
    rest = {name: value for name, value in kept.items() if name not in {"resourceType", "id", "meta"}}
    return {
        "resourceType": kept["resourceType"],
        "id": identity,
        "meta": {**ours, **{name: value for name, value in _mapping(meta).items() if name not in ours}},
        **rest,
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
