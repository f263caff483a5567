"""This file asks a FHIR server what is new there since a moment: searches by `_lastUpdated`, oldest first.

A server sets `meta.lastUpdated` before it commits, so a resource can become visible behind a younger one. Each question
therefore begins some time before the last answer ended, and who asks forgets nothing of that time. A moment that is
still to come says nothing of what was heard: one resource with such a moment would silence all that come after it.
FHIR R4 https://hl7.org/fhir/R4/search.html#lastUpdated
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ehr.client import FhirClient

OVERLAP: Final = timedelta(minutes=2)
PATIENCE: Final = timedelta(hours=1)
BEGINNING: Final = "1970-01-01T00:00:00Z"
_PAGE: Final = "200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """A version that is new on a server. `name` is `Type/id/_history/version`, `updated` as that server writes it."""

    name: str
    updated: str
    resource: dict[str, Any]


def newest(client: FhirClient, types: Sequence[str], *, now: datetime) -> str:
    """The newest `meta.lastUpdated` of these types, from where on all is news. Raises EhrError."""
    found = [BEGINNING]
    until = _written(now)
    for type_ in types:
        asked = {"_lastUpdated": f"le{until}", "_sort": "-_lastUpdated", "_count": "1"}
        first = next(client.search(type_, asked), None)
        found += [min(one.updated, until, key=_moment) for one in _novelties([first] if first else [])]
    return later(found)


def news(client: FhirClient, types: Sequence[str], *, since: str) -> Iterator[Novelty]:
    """What is new of these types since a moment, and of some time before it, type by type. Raises EhrError."""
    begin = _written(_moment(since) - OVERLAP)
    for type_ in types:
        yield from _novelties(
            client.search(type_, {"_lastUpdated": f"ge{begin}", "_sort": "_lastUpdated", "_count": _PAGE})
        )


def heard_until(since: str, *, heard: Sequence[Novelty], missed: Sequence[Novelty], now: datetime) -> str:
    """From where on to ask the next time: behind the newest, but not behind what was `missed`, for an hour."""
    until = later([since, *(one.updated for one in (*heard, *missed) if _moment(one.updated) <= now)])
    waited_for = [one.updated for one in missed if _moment(until) - _moment(one.updated) < PATIENCE]
    return min([until, *waited_for], key=_moment)


def later(moments: Sequence[str]) -> str:
    """The latest of some moments, as it is written.

    >>> later(["2026-11-28T10:00:00+02:00", "2026-11-28T09:00:00Z"])
    '2026-11-28T09:00:00Z'
    """
    return max(moments, key=_moment)


def _novelties(resources: Sequence[dict[str, Any]] | Iterator[dict[str, Any]]) -> Iterator[Novelty]:
    for resource in resources:
        meta = resource.get("meta")
        if not isinstance(meta, dict):
            continue
        updated = meta.get("lastUpdated")
        if isinstance(updated, str) and _is_moment(updated):
            name = f"{resource['resourceType']}/{resource['id']}/_history/{meta.get('versionId', updated)}"
            yield Novelty(name=name, updated=updated, resource=resource)


def _is_moment(text: str) -> bool:
    try:
        return _moment(text) is not None
    except (ValueError, OverflowError):  # the end of the year 9999 in another zone is in no year
        return False


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
