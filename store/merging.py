"""This file makes the record of one patient a part of another's, where a Patient says so by `link`.

The resources follow; so do those that come later under the old number, address or id. The old patient's report stays
readable, and closes: new facts go to the survivor's. Two people who contradict each other are never merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import audit
from store.errors import PatientConflict
from store.incoming import PatientLink
from store.job_states import Reason, Status
from store.patients import contradict, lock_record, our_patients
from store.tables import OPEN_JOB, jobs, patients, reports, resource_keys, resources, search_entries, shared_resources


def merge_all(
    connection: Connection, links: Sequence[PatientLink], local: Mapping[str, str], *, caller_id: str, now: datetime
) -> dict[str, str]:
    """Merge, and say whose record went where. Who is not known here stays unmerged. Raises PatientConflict."""
    merged: dict[str, str] = {}
    for link in links:
        replaced, surviving = (_patient(connection, name, local) for name in (link.replaced, link.surviving))
        if replaced is None or surviving is None or replaced == surviving:
            continue
        if contradict(connection, replaced, surviving):
            raise PatientConflict("link", entry_index=link.entry_index)
        for patient_id in sorted((replaced, surviving)):
            lock_record(connection, patient_id)
        _move(connection, replaced, surviving, now=now)
        access = audit.Access(
            at=now, caller_id=caller_id, action="merge", type="Patient", id=replaced, patient_id=surviving
        )
        audit.write(connection, [access])
        merged = {one: surviving if into == replaced else into for one, into in merged.items()} | {replaced: surviving}
    return merged


def _patient(connection: Connection, name: str, local: Mapping[str, str]) -> str | None:
    """Whose record the one named is part of now."""
    found = our_patients(connection, [local.get(name, name)])
    return found[-1] if found else None


def _move(connection: Connection, replaced: str, surviving: str, *, now: datetime) -> None:
    connection.execute(sa.update(resources).where(resources.c.patient_id == replaced).values(patient_id=surviving))
    connection.execute(
        sa.update(search_entries)
        .where(search_entries.c.patient_id == replaced, search_entries.c.made.is_(sa.false()))
        .values(patient_id=surviving)
    )
    _move_names(connection, replaced, surviving)
    _move_links(connection, replaced, surviving)
    connection.execute(
        sa.update(patients)
        .where(sa.or_(patients.c.id == replaced, patients.c.merged_into == replaced))
        .values(merged_into=surviving)
    )
    connection.execute(
        sa.update(reports).where(reports.c.patient_id == replaced, reports.c.living).values(living=False)
    )
    # A job of the old patient becomes one of the survivor; a worker that is at it finds its fence gone.
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.patient_id == replaced, OPEN_JOB)
        .values(
            patient_id=surviving,
            status=Status.RECEIVED,
            reason=Reason.WAITING_FOR_WORKER,
            fence=jobs.c.fence + 1,
            worker=None,
            lease_until=None,
            available_at=now,
            queued_at=None,
        )
    )


def _move_names(connection: Connection, replaced: str, surviving: str) -> None:
    """Names that the survivor has already keep meaning the survivor's."""
    theirs = resource_keys.alias()
    taken = sa.exists().where(
        theirs.c.key == resource_keys.c.key, theirs.c.type == resource_keys.c.type, theirs.c.scope == surviving
    )
    connection.execute(sa.delete(resource_keys).where(resource_keys.c.scope == replaced, taken))
    connection.execute(sa.update(resource_keys).where(resource_keys.c.scope == replaced).values(scope=surviving))


def _move_links(connection: Connection, replaced: str, surviving: str) -> None:
    theirs = shared_resources.alias()
    taken = sa.exists().where(theirs.c.resource_id == shared_resources.c.resource_id, theirs.c.patient_id == surviving)
    connection.execute(sa.delete(shared_resources).where(shared_resources.c.patient_id == replaced, taken))
    connection.execute(
        sa.update(shared_resources).where(shared_resources.c.patient_id == replaced).values(patient_id=surviving)
    )
