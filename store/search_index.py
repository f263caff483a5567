"""This file keeps what a search finds and by what, in the transaction that writes the resources themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import in_parts
from store.search_criteria import SearchValues
from store.tables import search_entries, search_tokens

OF_NO_REPORT = frozenset({"Device", "Organization"})
"""Of what we made, what stands beside many reports and belongs to none."""

# Built once: see store.candidates.
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_INSERT_ENTRY = sa.insert(search_entries)
_INSERT_TOKEN = sa.insert(search_tokens)
_SPAN = ("first_day", "last_day", "begins", "ends")
_UPDATE_ENTRY = (
    sa.update(search_entries)
    .where(search_entries.c.id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in ("updated_at", *_SPAN)})
)
_DELETE_ENTRIES = sa.delete(search_entries).where(search_entries.c.id.in_(_IDS))
_DELETE_TOKENS = sa.delete(search_tokens).where(search_tokens.c.entry_id.in_(_IDS))
_KNOWN = sa.select(search_entries.c.id).where(search_entries.c.id.in_(_IDS))
_OF_REPORT = sa.select(search_entries.c.id, search_entries.c.created_at).where(
    search_entries.c.report_id == sa.bindparam("report")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """One resource as a search finds it. `is_new`: it is not in the index yet."""

    id: str
    type: str
    patient_id: str | None
    values: SearchValues
    is_new: bool
    report_id: str | None = None
    made: bool = False


def keep(
    connection: Connection, entries: Sequence[Indexed], *, local: Mapping[str, str] | None = None, now: datetime
) -> None:
    """Put these resources into the index, or change what it says of them. `local` turns keys of others into ours."""
    fresh = [entry for entry in entries if entry.is_new]
    changed = [entry for entry in entries if not entry.is_new]
    if fresh:
        connection.execute(_INSERT_ENTRY, [_row(entry, created_at=now, now=now) for entry in fresh])
    if changed:
        connection.execute(_UPDATE_ENTRY, [{"of": entry.id, "updated_at": now, **_span(entry)} for entry in changed])
        _delete(connection, _DELETE_TOKENS, [entry.id for entry in changed])
    _insert_tokens(connection, entries, local or {})


def forget(connection: Connection, ids: Iterable[str]) -> None:
    """Take resources out of the index: they were deleted."""
    wanted = list(ids)
    _delete(connection, _DELETE_TOKENS, wanted)
    _delete(connection, _DELETE_ENTRIES, wanted)


def keep_report(connection: Connection, report_id: str, entries: Sequence[Indexed], *, now: datetime) -> None:
    """The index of a report's present version in the place of the one before.

    What belongs to no single report (`report_id` None: our Device, our Organization) is kept once.
    """
    before = {row.id: row.created_at for row in connection.execute(_OF_REPORT, {"report": report_id})}
    forget(connection, before)
    common = [entry.id for entry in entries if entry.report_id is None]
    known = set(connection.scalars(_KNOWN, {"ids": common})) if common else set()
    wanted = [entry for entry in entries if entry.id not in known]
    if wanted:
        connection.execute(
            _INSERT_ENTRY, [_row(entry, created_at=before.get(entry.id, now), now=now) for entry in wanted]
        )
    _insert_tokens(connection, wanted, {})


def _insert_tokens(connection: Connection, entries: Sequence[Indexed], local: Mapping[str, str]) -> None:
    rows = [
        {"parameter": parameter, "value": value, "system": system, "entry_id": entry.id}
        for entry in entries
        for parameter, system, value in entry.values.tokens
    ]
    rows += [
        {"parameter": parameter, "value": value, "system": "", "entry_id": entry.id}
        for entry in entries
        for parameter, value in {(parameter, local.get(text, text)) for parameter, text in entry.values.references}
    ]
    if rows:
        connection.execute(_INSERT_TOKEN, rows)


def _row(entry: Indexed, *, created_at: datetime, now: datetime) -> dict[str, object]:
    return {
        "id": entry.id,
        "type": entry.type,
        "patient_id": entry.patient_id,
        "report_id": entry.report_id,
        "made": entry.made,
        "created_at": created_at,
        "updated_at": now,
        **_span(entry),
    }


def _span(entry: Indexed) -> dict[str, object]:
    span = entry.values.span
    if span is None:
        return dict.fromkeys(_SPAN)
    return {"first_day": span.first_day, "last_day": span.last_day, "begins": span.begins, "ends": span.ends}


def _delete(connection: Connection, statement: sa.Delete, ids: Sequence[str]) -> None:
    for part in in_parts(ids):
        connection.execute(statement, {"ids": part})
