"""This file takes in what was fetched of a patient from an EHR, for the job that asked for it, in one transaction.

What the EHR holds no longer is deleted here, what could not be seen is kept by class, and the job goes on to a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import audit
from store.database import Database
from store.deletion import delete_all
from store.errors import PatientConflict
from store.incoming import (
    Deletion,
    IncomingResource,
    PatientIntake,
    PatientLink,
    Received,
    Rewrite,
    StartedJob,
)
from store.jobs import Claimed, note_fetched, require_claim
from store.keeping import finish_submission, keep, start_jobs, write_submission
from store.merging import merge_all
from store.patients import in_record_of, lock
from store.tables import withheld

KIND = "fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWithheld:
    """A class of data that could not be seen, and why, in words of the engine's. Never what it holds."""

    data: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a server gave of one patient. `sha256` is the digest of all of it; `withheld` what it did not."""

    server: str
    sha256: str
    groups: tuple[PatientIntake, ...]
    loose: tuple[IncomingResource, ...] = ()
    links: tuple[PatientLink, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    withheld: tuple[KeptWithheld, ...] = ()


def keep_fetched(
    database: Database, claimed: Claimed, fetched: Fetched, *, rewrite: Rewrite, now: datetime
) -> tuple[StartedJob, ...]:
    """Keep it and let the job go on, both or neither; jobs of other patients whose record has changed by it.

    The pages themselves are not kept: each resource is. Raises LeaseLost, Busy, and PatientConflict where what was
    fetched is of another patient than the job, or would mix two.
    """

    def work(connection: Connection) -> tuple[StartedJob, ...]:
        lock(connection, claimed.patient_id)
        require_claim(connection, claimed, now=now)
        caller_id = f"ehr:{fetched.server}"
        submission_id = write_submission(
            connection, kind=KIND, raw=b"", sha256=fetched.sha256, caller_id=caller_id, now=now
        )
        deleted, bereft = delete_all(connection, fetched.deletions, submission_id=submission_id, now=now)
        local, touched, entries = keep(
            connection, fetched.groups, fetched.loose, (), rewrite, submission_id=submission_id, now=now
        )
        merged = merge_all(connection, fetched.links, local, caller_id=caller_id, now=now)
        concerned = [merged.get(one, one) for one in dict.fromkeys((*touched, *bereft, *merged.values()))]
        record = merged.get(claimed.patient_id, claimed.patient_id)
        if fetched.groups and record not in concerned:
            raise PatientConflict("identifier")
        _replace(connection, record, fetched.server, fetched.withheld)
        others = list(dict.fromkeys(one for one in concerned if one != record))
        started = start_jobs(connection, others, submission_id=submission_id, now=now)
        received = Received(submission_id=submission_id, jobs=started, entries=(*entries, *deleted))
        finish_submission(connection, received, caller_id=caller_id, now=now)
        access = audit.Access(at=now, caller_id=caller_id, action="fetch", type="Patient", id=record, patient_id=record)
        audit.write(connection, [access])
        note_fetched(connection, claimed, now=now)
        return started

    return database.write_again(work)


def withheld_of(database: Database, patient_id: str) -> tuple[KeptWithheld, ...]:
    """What could not be seen of a patient when they were last fetched, of all servers, each once."""
    query = (
        sa.select(withheld.c.data, withheld.c.because)
        .where(withheld.c.patient_id.in_(in_record_of(patient_id)))
        .distinct()
        .order_by(withheld.c.data, withheld.c.because)
    )
    with database.read() as connection:
        return tuple(KeptWithheld(data=row.data, because=row.because) for row in connection.execute(query))


def _replace(connection: Connection, patient_id: str, server: str, kept: Iterable[KeptWithheld]) -> None:
    connection.execute(sa.delete(withheld).where(withheld.c.patient_id == patient_id, withheld.c.source == server))
    rows: Sequence[dict[str, str]] = [
        {"patient_id": patient_id, "source": server, "data": one.data, "because": one.because}
        for one in dict.fromkeys(kept)
    ]
    if rows:
        connection.execute(sa.insert(withheld), rows)
