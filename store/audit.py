"""This file notes who read or wrote what, and when: one row each, ids only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import Database
from store.tables import audit

_INSERT = sa.insert(audit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One read or write. `action`: read, search, history, receive, delete, sign, withdraw, cancel, retry …"""

    at: datetime
    caller_id: str
    action: str
    type: str
    id: str
    patient_id: str | None = None


def record(database: Database, accesses: Sequence[Access]) -> None:
    """Note reads. Not waited for on disk: the rows survive this process, a power cut may cost the last second's."""
    if accesses:
        with database.write(durable=False) as connection:
            write(connection, accesses)


def write(connection: Connection, accesses: Sequence[Access]) -> None:
    """Note writes, in the transaction that does them."""
    if accesses:
        connection.execute(_INSERT, [asdict(access) for access in accesses])


def of_patient(database: Database, patient_id: str, *, limit: int = 1000) -> list[Access]:
    """Who saw or changed anything of this patient, newest first."""
    query = sa.select(audit).where(audit.c.patient_id == patient_id).order_by(audit.c.number.desc()).limit(limit)
    with database.read() as connection:
        return [
            Access(
                at=row.at,
                caller_id=row.caller_id,
                action=row.action,
                type=row.type,
                id=row.id,
                patient_id=row.patient_id,
            )
            for row in connection.execute(query)
        ]
