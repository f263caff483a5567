"""This file keeps which version of a report stands on which EHR, and which should: the outbox of writing back.

A row is wanted anew in the transaction that writes a version. What is to be done is read from the row alone, so a
worker that dies leaves nothing but work: whoever takes it looks first what stands there (ehr/write_back.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import Database
from store.errors import LeaseLost
from store.patients import addresses_at
from store.tables import reports, write_backs

_row = write_backs.c
_UNSETTLED = sa.or_(_row.settled_version.is_(None), _row.settled_version < _row.wanted_version)
REFUSED = "refused"
"""The outcome where the EHR does not take it, or gives what cannot be used; `error_type` says which."""
OPEN = "open"
OPEN_AFTER_FAILURE = "open-after-failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBack:
    """One version of a report that is to stand on an EHR. `worker` proves the claim, which holds until its lease ends.

    `attempts` counts this one.
    """

    report_id: str
    server: str
    version: int
    patient_id: str
    attempts: int
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the newest version of a report stands on one EHR.

    `outcome` is None while it is still to be written; `error_type` then says why the last attempt failed, and with the
    outcome `refused` why there is none after it.
    """

    server: str
    version: int
    outcome: str | None
    error_type: str | None
    updated_at: datetime


def want(
    connection: Connection,
    report_id: str,
    *,
    version: int,
    patient_id: str,
    servers: Mapping[str, str],
    now: datetime,
) -> None:
    """Have a version written to each of `servers` (name to base address) that knows the patient.

    In the transaction that keeps the version. A version that is wanted already stays as it is, unless it was refused:
    whoever correlates again may have mended that.
    """
    for name, base_url in servers.items():
        if not addresses_at(connection, patient_id, base_url):
            continue
        here = sa.and_(_row.report_id == report_id, _row.server == name)
        known = connection.execute(sa.select(write_backs).where(here)).first()
        if known is None:
            connection.execute(
                sa.insert(write_backs).values(
                    report_id=report_id,
                    server=name,
                    wanted_version=version,
                    attempts=0,
                    available_at=now,
                    updated_at=now,
                )
            )
        elif known.wanted_version < version or known.outcome == REFUSED:
            connection.execute(
                sa.update(write_backs)
                .where(here)
                .values(
                    wanted_version=version,
                    settled_version=None,
                    outcome=None,
                    attempts=0,
                    available_at=now,
                    error_type=None,
                    updated_at=now,
                )
            )


def claim(database: Database, *, worker: str, now: datetime, lease_seconds: float) -> WriteBack | None:
    """Take what has waited longest to be written; `None` where nothing is due. Raises Busy."""
    due = sa.and_(_UNSETTLED, _row.available_at <= now, sa.or_(_row.lease_until.is_(None), _row.lease_until <= now))
    query = (
        sa.select(write_backs, reports.c.patient_id)
        .join_from(write_backs, reports, reports.c.id == _row.report_id)
        .where(due)
        .order_by(_row.available_at, _row.report_id)
        .limit(1)
    )
    with database.read() as connection:
        if connection.execute(query).first() is None:
            return None

    def work(connection: Connection) -> WriteBack | None:
        row = connection.execute(query.with_for_update(of=write_backs, skip_locked=True)).first()
        if row is None:
            return None
        connection.execute(
            sa.update(write_backs)
            .where(_row.report_id == row.report_id, _row.server == row.server)
            .values(worker=worker, lease_until=now + timedelta(seconds=lease_seconds), attempts=row.attempts + 1)
        )
        return WriteBack(
            report_id=row.report_id,
            server=row.server,
            version=row.wanted_version,
            patient_id=row.patient_id,
            attempts=row.attempts + 1,
            worker=worker,
        )

    return database.write_again(work, durable=False)


def renew(database: Database, claimed: WriteBack, *, now: datetime, lease_seconds: float) -> None:
    """Hold the claim longer. Raises LeaseLost, Busy."""
    with database.write(durable=False) as connection:
        renewed = connection.execute(
            sa.update(write_backs)
            .where(_row.report_id == claimed.report_id, _row.server == claimed.server, _row.worker == claimed.worker)
            .values(lease_until=now + timedelta(seconds=lease_seconds))
        )
        if renewed.rowcount != 1:
            raise LeaseLost(f"report {claimed.report_id}")


def settle(
    database: Database, claimed: WriteBack, *, outcome: str, now: datetime, error_type: str | None = None
) -> None:
    """Note that nothing is left to do for this version there, and why. A newer one that is wanted meanwhile follows.

    `error_type` says why it was `refused`.
    """
    _note(database, claimed, settled_version=claimed.version, outcome=outcome, error_type=error_type, now=now)


def put_off(
    database: Database, claimed: WriteBack, *, error_type: str, now: datetime, retry_delays_seconds: Sequence[float]
) -> None:
    """Note a failed attempt; the next one comes after the delay for its number, the last of which repeats for ever."""
    delay = retry_delays_seconds[min(claimed.attempts, len(retry_delays_seconds)) - 1]
    _note(database, claimed, error_type=error_type, available_at=now + timedelta(seconds=delay), now=now)


def standings_of(database: Database, report_id: str) -> tuple[Standing, ...]:
    """How a report stands on the EHRs it is written to."""
    query = sa.select(write_backs).where(_row.report_id == report_id).order_by(_row.server)
    with database.read() as connection:
        return tuple(
            Standing(
                server=row.server,
                version=row.wanted_version,
                outcome=row.outcome if row.settled_version == row.wanted_version else None,
                error_type=row.error_type,
                updated_at=row.updated_at,
            )
            for row in connection.execute(query)
        )


def counts(database: Database) -> Mapping[tuple[str, str], int]:
    """How many reports stand how on each EHR: by its name, and by `open`, `open-after-failure` or the outcome."""
    opened = sa.case((_row.error_type.is_(None), OPEN), else_=OPEN_AFTER_FAILURE)
    state = sa.case((_UNSETTLED, opened), else_=_row.outcome).label("state")
    query = sa.select(_row.server, state, sa.func.count()).group_by(_row.server, state)
    with database.read() as connection:
        return {(server, how): number for server, how, number in connection.execute(query)}


def _note(database: Database, claimed: WriteBack, *, now: datetime, **values: object) -> None:
    ours = (_row.report_id == claimed.report_id, _row.server == claimed.server, _row.worker == claimed.worker)

    def work(connection: Connection) -> None:
        connection.execute(
            sa.update(write_backs).where(*ours).values(worker=None, lease_until=None, updated_at=now, **values)
        )

    database.write_again(work)
