"""This file says whose the resources under ids of ours are: one patient's, several patients', or nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from store.database import Database, in_parts
from store.patients import our_patients
from store.search_index import OF_NO_REPORT
from store.tables import patients, report_resources, reports, resources, shared_resources

_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_RECEIVED = sa.select(resources.c.id, resources.c.patient_id).where(
    resources.c.id.in_(_IDS), resources.c.patient_id.is_not(None)
)
_SHARED = sa.select(shared_resources.c.resource_id, shared_resources.c.patient_id).where(
    shared_resources.c.resource_id.in_(_IDS)
)
_PEOPLE = sa.select(patients.c.id, patients.c.id).where(patients.c.id.in_(_IDS))
_MADE = (
    sa.select(report_resources.c.id, reports.c.patient_id)
    .join_from(report_resources, reports, reports.c.id == report_resources.c.report_id)
    .where(report_resources.c.id.in_(_IDS), report_resources.c.type.not_in(sorted(OF_NO_REPORT)))
    .distinct()
)


def owners(database: Database, ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The patients whom each of these ids is about: received, made, or a patient; those that are about none left out.

    What several patients refer to is about all of them.
    """
    found: dict[str, set[str]] = {}
    with database.read() as connection:
        for part in in_parts(set(ids)):
            for query in (_RECEIVED, _SHARED, _PEOPLE, _MADE):
                for identity, patient_id in connection.execute(query, {"ids": part}):
                    found.setdefault(identity, set()).add(patient_id)
    return {identity: frozenset(patient_ids) for identity, patient_ids in found.items()}


def same_person(database: Database, names: Iterable[str]) -> frozenset[str]:
    """Our ids of the patient who is named by our id or an absolute address, those of merged records included."""
    with database.read() as connection:
        ids = our_patients(connection, list(names))
        merged = sa.select(patients.c.id).where(patients.c.merged_into.in_(ids)) if ids else None
        return frozenset(ids) if merged is None else frozenset([*ids, *connection.scalars(merged)])
