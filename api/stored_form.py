"""This file gives stored resources the form in which a client reads them: what was kept, with our id and version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import dumps, loads
from store.resources import StoredResource

# The record keeps compact JSON without a first-level `id`; the type mostly stands first.
_TYPE_FIRST = re.compile(rb'\{"resourceType":"[A-Za-z]+"(?=[,}])')


def as_read(
    content: bytes, *, identity: str, version: int, modified: datetime, source_url: str | None = None
) -> dict[str, Any]:
    """The resource with `id` and `meta` of ours; all else as kept, digit for digit.

    Of `meta`, `versionId` and `lastUpdated` are ours, and `source` is the address it came from, where it came from one.
    """
    kept: dict[str, Any] = loads(content)
    ours = _meta(version, modified, source_url)
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


def received_bytes(kept: StoredResource) -> bytes:
    """The same as bytes. What came without `meta`, as most does, is not read for it: ours goes in behind the type."""
    head = _TYPE_FIRST.match(kept.content)
    if head is None or b'"meta":' in kept.content:
        return dumps(received_as_read(kept))
    ours = {"id": kept.id, "meta": _meta(kept.version, kept.recorded_at, kept.source_url)}
    return head.group() + b"," + dumps(ours)[1:-1] + kept.content[head.end() :]


def _meta(version: int, modified: datetime, source_url: str | None) -> dict[str, Any]:
    ours = {"versionId": str(version), "lastUpdated": instant(modified)}
    return ours if source_url is None else {**ours, "source": source_url}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
