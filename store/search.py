"""This file answers searches from the index: which resources fit, page by page, and how many there are.

A page is told by the sort key and id of the last one seen, not by a count: what arrives between two pages neither
repeats a resource nor hides one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from store.database import Database, in_parts
from store.patients import our_patients, url_keys
from store.search_criteria import (
    BeginsWith,
    Changed,
    Criterion,
    HasDate,
    HasId,
    HasToken,
    LacksToken,
    OfPatient,
    Prefix,
    SearchSpan,
)
from store.tables import (
    patient_keys,
    patients,
    report_resources,
    report_versions,
    reports,
    resource_keys,
    resource_versions,
    resources,
    search_entries,
    search_tokens,
)

_entry = search_entries.c
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_KEYS: sa.BindParameter[str] = sa.bindparam("keys", expanding=True)
_HELD_IDS = sa.select(resources.c.type, resources.c.id).where(resources.c.id.in_(_IDS))
_PATIENT_IDS = sa.select(patients.c.id).where(patients.c.id.in_(_IDS))
_MADE_IDS = (
    sa.select(report_resources.c.type, report_resources.c.id)
    .where(report_resources.c.type.in_(sa.bindparam("types", expanding=True)), report_resources.c.id.in_(_IDS))
    .distinct()
)
_ADDRESSES = (
    sa.select(resource_keys.c.key)
    .where(resource_keys.c.key.in_(_KEYS))
    .union(sa.select(patient_keys.c.key).where(patient_keys.c.key.in_(_KEYS)))
)
_ORDERS = {"created": _entry.created_at, "updated": _entry.updated_at, "date": sa.func.coalesce(_entry.begins, "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page ended: the sort key of its last resource, as text, and its id."""

    key: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked. `order` is `created`, `updated` or `date`; `after` is where the page before ended.

    With `any_of`, at least one of these sets of criteria is met as well: what the one who asks may see. Without `made`,
    what we made ourselves is left out.
    """

    type: str
    criteria: tuple[Criterion, ...] = ()
    any_of: tuple[tuple[Criterion, ...], ...] | None = None
    made: bool = True
    order: str = "created"
    descending: bool = True
    limit: int = 50
    after: Cursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource that was found, in its present version. `made` is what we made ourselves."""

    type: str
    id: str
    version: int
    content: bytes
    patient_id: str | None
    source_url: str | None
    recorded_at: datetime
    made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. `next` is where the next one begins, None at the end, and `after` where it would behind each of what
    was found, by id; `total` is None where it was not asked for."""

    found: tuple[Found, ...]
    next: Cursor | None
    total: int | None
    after: Mapping[str, Cursor] = field(default_factory=dict)


def search(database: Database, query: Query, *, with_total: bool = True) -> Page:
    """One page of what fits, newest first unless asked otherwise. With `limit` 0 only the number is told."""
    with database.read() as connection:
        conditions = _conditions(connection, query.type, query.criteria)
        if query.any_of is not None:
            conditions.append(sa.or_(sa.false(), *(_all(connection, choice) for choice in query.any_of)))
        if not query.made:
            conditions.append(_entry.made.is_(sa.false()))
        total = None
        if with_total or query.limit == 0:
            total = connection.scalar(sa.select(sa.func.count()).select_from(search_entries).where(*conditions))
        if query.limit == 0:
            return Page(found=(), next=None, total=total)
        rows = connection.execute(_page(query, conditions)).all()
        shown = rows[: query.limit]
        contents = _read(connection, {row.id for row in shown})
    after = {row.id: Cursor(key=_text(row.sort_key), id=row.id) for row in shown}
    found = tuple(contents[row.id] for row in shown if row.id in contents)
    return Page(found=found, next=after[shown[-1].id] if len(rows) > len(shown) else None, total=total, after=after)


def by_ids(database: Database, ids: Iterable[str]) -> dict[str, Found]:
    """The resources under these ids, as far as a search would find them."""
    with database.read() as connection:
        return _read(connection, set(ids))


def named(
    database: Database, wanted: Iterable[tuple[str, str]]
) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Of these types and ids, what we hold or once held, and what we made."""
    pairs = set(wanted)
    types = list({type_ for type_, _ in pairs})
    held: set[tuple[str, str]] = set()
    made: set[tuple[str, str]] = set()
    with database.read() as connection:
        for ids in in_parts({identity for _, identity in pairs}):
            held |= {(row.type, row.id) for row in connection.execute(_HELD_IDS, {"ids": ids})}
            held |= {("Patient", identity) for identity in connection.scalars(_PATIENT_IDS, {"ids": ids})}
            made |= {(row.type, row.id) for row in connection.execute(_MADE_IDS, {"ids": ids, "types": types})}
    return frozenset(held & pairs), frozenset(made & pairs)


def known_addresses(database: Database, addresses: Iterable[str]) -> frozenset[str]:
    """Which of these absolute addresses we know something by."""
    found: set[str] = set()
    with database.read() as connection:
        for keys in in_parts(url_keys(set(addresses))):
            found |= {key.removeprefix("url|") for key in connection.scalars(_ADDRESSES, {"keys": keys})}
    return frozenset(found)


def matching_ids(connection: Connection, type_: str, criteria: Sequence[Criterion]) -> list[str]:
    """The ids of at most two resources that were received and fit: none, the one, or more than one."""
    conditions = [*_conditions(connection, type_, criteria), _entry.made.is_(sa.false())]
    return list(connection.scalars(sa.select(_entry.id).where(*conditions).order_by(_entry.id).limit(2)))


def unfitting(connection: Connection, ids: Iterable[str], criteria: Sequence[LacksToken]) -> frozenset[str]:
    """Of these ids, those that one of the criteria leaves out."""
    found: set[str] = set()
    for part in in_parts(set(ids)):
        for one in criteria:
            query = sa.select(search_tokens.c.entry_id).where(
                search_tokens.c.entry_id.in_(part),
                search_tokens.c.parameter == one.parameter,
                search_tokens.c.value.in_(one.values),
            )
            found.update(connection.scalars(query))
    return frozenset(found)


def _page(query: Query, conditions: list[ColumnElement[bool]]) -> sa.Select[tuple[str, object]]:
    key = _ORDERS[query.order]
    if query.after is not None:
        seen: object = query.after.key if query.order == "date" else datetime.fromisoformat(query.after.key)
        last = sa.tuple_(sa.bindparam("seen", seen, type_=key.type), sa.literal(query.after.id))
        here = sa.tuple_(key, _entry.id)
        conditions = [*conditions, here < last if query.descending else here > last]
    order = (key.desc(), _entry.id.desc()) if query.descending else (key, _entry.id)
    return sa.select(_entry.id, key.label("sort_key")).where(*conditions).order_by(*order).limit(query.limit + 1)


def _text(key: object) -> str:
    return key.isoformat() if isinstance(key, datetime) else str(key)


def _conditions(connection: Connection, type_: str, criteria: Sequence[Criterion]) -> list[ColumnElement[bool]]:
    """What a fitting row of the index meets.

    One criterion leads: a patient or ids where they are named, else the token that tells most. The other tokens are
    looked up for each row that the leading one gives, which spares SQLite a list of everything that is `final`.
    """
    led = any(isinstance(one, OfPatient | HasId) for one in criteria)
    conditions: list[ColumnElement[bool]] = [_entry.type == type_]
    for criterion in sorted(criteria, key=_rank):
        if isinstance(criterion, HasToken | BeginsWith):
            conditions.append(_with_token(criterion, leading=not led))
            led = True
        else:
            conditions.append(_condition(connection, criterion))
    return conditions


def _all(connection: Connection, criteria: Sequence[Criterion]) -> ColumnElement[bool]:
    """What a row meets that fits all of these, looked up row by row: another criterion leads."""
    return sa.and_(
        sa.true(),
        *(
            _with_token(one, leading=False) if isinstance(one, HasToken | BeginsWith) else _condition(connection, one)
            for one in criteria
        ),
    )


def _rank(criterion: Criterion) -> int:
    names = ("identifier", "target", "family", "given", "name", "code")
    parameter = getattr(criterion, "parameter", "").partition(".")[2]
    return names.index(parameter) if parameter in names else len(names)


def _condition(
    connection: Connection, criterion: LacksToken | HasId | OfPatient | HasDate | Changed
) -> ColumnElement[bool]:
    if isinstance(criterion, LacksToken):
        unwanted = HasToken(parameter=criterion.parameter, choices=tuple((None, value) for value in criterion.values))
        return ~_with_token(unwanted, leading=False)
    if isinstance(criterion, HasId):
        return _entry.id.in_(criterion.choices)
    if isinstance(criterion, OfPatient):
        return _entry.patient_id.in_(our_patients(connection, criterion.choices))
    if isinstance(criterion, HasDate):
        return sa.or_(*(_date(prefix, span, by_day=by_day) for prefix, span, by_day in criterion.choices))
    return sa.or_(*(_changed(prefix, first, last) for prefix, first, last in criterion.choices))


def _with_token(criterion: HasToken | BeginsWith, *, leading: bool) -> ColumnElement[bool]:
    if isinstance(criterion, HasToken):
        fits = sa.or_(*(_token(system, value) for system, value in criterion.choices))
    else:
        fits = sa.or_(*(search_tokens.c.value.startswith(word, autoescape=True) for word in criterion.choices))
    query = sa.select(search_tokens.c.entry_id).where(search_tokens.c.parameter == criterion.parameter, fits)
    return _entry.id.in_(query) if leading else query.where(search_tokens.c.entry_id == _entry.id).exists()


def _token(system: str | None, value: str | None) -> ColumnElement[bool]:
    parts = [] if value is None else [search_tokens.c.value == value]
    parts += [] if system is None else [search_tokens.c.system == system]
    return sa.and_(sa.true(), *parts)


def _date(prefix: Prefix, span: SearchSpan, *, by_day: bool) -> ColumnElement[bool]:
    low, high = (_entry.first_day, _entry.last_day) if by_day else (_entry.begins, _entry.ends)
    first, last = (span.first_day, span.last_day) if by_day else (span.begins, span.ends)
    return _compared(prefix, low, high, first, last)


def _changed(prefix: Prefix, first: datetime, last: datetime) -> ColumnElement[bool]:
    return _compared(prefix, _entry.updated_at, _entry.updated_at, first, last)


def _compared(
    prefix: Prefix, low: ColumnElement[object], high: ColumnElement[object], first: object, last: object
) -> ColumnElement[bool]:
    """FHIR R4's meaning of the prefixes, on spans whose ends belong to them."""
    within = sa.and_(low >= first, high <= last)
    compared: dict[Prefix, ColumnElement[bool]] = {
        Prefix.EQUAL: within,
        Prefix.NOT_EQUAL: sa.or_(low < first, high > last),
        Prefix.GREATER: high > last,
        Prefix.LESS: low < first,
        Prefix.GREATER_OR_EQUAL: sa.or_(high > last, within),
        Prefix.LESS_OR_EQUAL: sa.or_(low < first, within),
        Prefix.STARTS_AFTER: low > last,
        Prefix.ENDS_BEFORE: high < first,
    }
    return compared[prefix]


_RECEIVED = (
    sa.select(
        resources.c.type,
        resources.c.id,
        resources.c.version,
        resources.c.patient_id,
        resources.c.source_url,
        resource_versions.c.content,
        resource_versions.c.recorded_at,
    )
    .join_from(
        resources,
        resource_versions,
        sa.and_(resource_versions.c.resource_id == resources.c.id, resource_versions.c.version == resources.c.version),
    )
    .where(resources.c.id.in_(sa.bindparam("ids", expanding=True)), resources.c.deleted.is_(sa.false()))
)
_MADE = (
    sa.select(
        report_resources.c.type,
        report_resources.c.id,
        report_resources.c.version,
        reports.c.patient_id,
        report_resources.c.content,
        report_versions.c.recorded_at,
    )
    .select_from(search_entries)
    .join(
        report_resources,
        sa.and_(report_resources.c.type == _entry.type, report_resources.c.id == _entry.id),
    )
    .join(
        reports, sa.and_(reports.c.id == report_resources.c.report_id, reports.c.version == report_resources.c.version)
    )
    .join(
        report_versions,
        sa.and_(
            report_versions.c.report_id == report_resources.c.report_id,
            report_versions.c.version == report_resources.c.version,
        ),
    )
    .where(_entry.made)
)
_OF_REPORTS = _MADE.where(_entry.id.in_(_IDS), _entry.report_id.is_not(None))
# Our Device and Organization stand beside every report: of each the newest copy counts.
_OF_NO_REPORT = sa.select(_entry.id).where(_entry.id.in_(_IDS), _entry.made, _entry.report_id.is_(None))
_NEWEST = _MADE.where(_entry.id == sa.bindparam("id")).order_by(report_versions.c.recorded_at.desc()).limit(1)


def _read(connection: Connection, ids: set[str]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for part in in_parts(ids):
        for row in connection.execute(_RECEIVED, {"ids": part}):
            found[row.id] = Found(**row._mapping, made=False)
        missing = [identity for identity in part if identity not in found]
        if missing:
            made = list(connection.execute(_OF_REPORTS, {"ids": missing}))
            for identity in connection.scalars(_OF_NO_REPORT, {"ids": missing}).all():
                made += connection.execute(_NEWEST, {"id": identity})
            found |= {row.id: Found(**row._mapping, source_url=None, made=True) for row in made}
    return found
