"""This file says who is who: whether a patient is known already, and when two people would be mixed.

Contract, section 3: the same identifier with system, the same absolute address, or our own id. A birth date or sex that
contradicts is refused. Our own id is the exception: who names it corrects our record on purpose.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.bounds import NO_BOUNDS, Bounds
from store.database import Collision, Database, in_parts
from store.errors import NotFound, OutOfBounds, PatientConflict
from store.incoming import PatientIdentity
from store.tables import patient_keys, patients, without_nul

_DATE_LENGTH = len("2018-05-01")
_IDENTIFIER = "identifier|"
_URL = "url|"
# Built once: see store.candidates.
_KEYS: sa.BindParameter[str] = sa.bindparam("keys", expanding=True)
_PATIENTS_BY_KEY = (
    sa.select(patients.c.id, patients.c.merged_into)
    .join_from(patient_keys, patients, patients.c.id == patient_keys.c.patient_id)
    .where(patient_keys.c.key.in_(_KEYS))
    .distinct()
)
_PATIENTS_BY_ID = sa.select(patients.c.id, patients.c.merged_into).where(
    patients.c.id.in_(sa.bindparam("ids", expanding=True))
)
_KNOWN_KEYS = sa.select(patient_keys.c.key).where(patient_keys.c.key.in_(_KEYS))
_PERSON = sa.select(patients.c.birth_date, patients.c.sex).where(patients.c.id == sa.bindparam("id"))
_LOCKED = sa.select(patients.c.merged_into).where(patients.c.id == sa.bindparam("id")).with_for_update()
_INSERT_PATIENT = sa.insert(patients)
_INSERT_KEY = sa.insert(patient_keys)
_OPPOSITES = frozenset({"female", "male"})


def known(database: Database, patient_id: str) -> bool:
    """Whether this id of ours names a patient."""
    with database.read() as connection:
        return connection.scalar(sa.select(patients.c.id).where(patients.c.id == patient_id)) is not None


def our_patients(connection: Connection, named: Iterable[str]) -> list[str]:
    """Our ids of patients named by our id, `Patient/id`, the absolute address they came with, or an identifier's key.

    Of one whose record has become a part of another's, both.
    """
    names = list(named)
    keys = [*url_keys(names), *(name for name in names if name.startswith("identifier|"))]
    ids = [name.removeprefix("Patient/") for name in names if not url_keys([name])]
    rows = [row for part in in_parts(keys) for row in connection.execute(_PATIENTS_BY_KEY, {"keys": part})]
    rows += [row for part in in_parts(ids) for row in connection.execute(_PATIENTS_BY_ID, {"ids": part})]
    return list(dict.fromkeys(one for row in rows for one in (row.id, row.merged_into) if one is not None))


def find(database: Database, identity: PatientIdentity) -> str | None:
    """The patient this identity means, `None` when unknown. Raises PatientConflict as an intake would."""
    with database.read() as connection:
        found, met = _matches(connection, identity, keys_of(identity), group=0)
        if met is not None:
            _refuse_contradiction(connection, met, identity, group=0)
        return found


def resolve(
    connection: Connection, identity: PatientIdentity, *, group: int, now: datetime, bounds: Bounds = NO_BOUNDS
) -> tuple[str, str]:
    """Our id of the patient whose record it is, and the id as whom they were met: another where records were merged.

    The patient's row is locked until the transaction ends. Raises OutOfBounds where it is not within `bounds`, and
    PatientConflict.
    """
    own = bounds.learnt(identity)
    learnt = keys_of(own)
    patient_id, met = None, None
    if bounds.patients is not None:  # of who else is known by the other names nothing is said
        patient_id, met = _matches(connection, own, learnt, group=group)
    if patient_id is None or not bounds.reach(patient_id, identity):
        patient_id, met = _matches(connection, identity, keys_of(identity), group=group)
    if not bounds.reach(patient_id, identity):
        raise OutOfBounds(())
    if patient_id is None or met is None:
        created = _create(connection, identity, learnt, now=now)
        return created, created
    lock_record(connection, patient_id)
    birth_date, sex = _refuse_contradiction(connection, met, identity, group=group)
    if identity.matched_id is None and bounds.may_update("Patient", met):
        _complete(connection, met, identity, birth_date=birth_date, sex=sex)
        _add_keys(connection, met, learnt)
    return patient_id, met


def addresses_at(connection: Connection, patient_id: str, base_url: str) -> list[str]:
    """The addresses that a patient, and those whose record became a part of theirs, have on a server."""
    prefix = f"{base_url}/Patient/"
    every = (key.removeprefix(_URL) for key in _keys_of(connection, patient_id) if key.startswith(_URL))
    return [address for address in every if address.startswith(prefix)]


def identifiers_of(connection: Connection, patient_id: str) -> list[tuple[str, str]]:
    """The identifiers (system, value) of a patient, and of those whose record became a part of theirs."""
    found = []
    for key in _keys_of(connection, patient_id):
        if key.startswith(_IDENTIFIER):
            length, _, rest = key.removeprefix(_IDENTIFIER).partition("|")
            found.append((rest[: int(length)], rest[int(length) + 1 :]))
    return found


def in_record_of(patient_id: str) -> sa.Select[tuple[str]]:
    """The ids of a patient and of those whose record became a part of theirs, as a query."""
    return sa.select(patients.c.id).where(sa.or_(patients.c.id == patient_id, patients.c.merged_into == patient_id))


def _keys_of(connection: Connection, patient_id: str) -> list[str]:
    ids = in_record_of(patient_id)
    query = sa.select(patient_keys.c.key).where(patient_keys.c.patient_id.in_(ids)).order_by(patient_keys.c.key)
    return list(connection.scalars(query))


def lock(connection: Connection, patient_id: str) -> None:
    """Let no other transaction work on this patient until this one ends (in SQLite a writer is alone anyway)."""
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCKED, {"id": patient_id})


def lock_record(connection: Connection, patient_id: str) -> None:
    """Lock a patient whose record is their own. Raises Collision where a merge was first and took it elsewhere."""
    if connection.dialect.name != "sqlite":
        row = connection.execute(_LOCKED, {"id": patient_id}).one()
        if row.merged_into not in (None, patient_id):
            raise Collision("the record was merged meanwhile")


def keys_of(identity: PatientIdentity) -> list[str]:
    """The keys under which the patient is found again."""
    return [*identifier_keys(identity.identifiers), *url_keys(identity.urls)]


def identifier_keys(identifiers: Iterable[tuple[str, str]]) -> list[str]:
    """Identifiers as keys. One without system or without value matches nothing, so it gives none."""
    # The length in front keeps ("a|b", "c") and ("a", "b|c") apart.
    return [
        without_nul(f"{_IDENTIFIER}{len(system)}|{system}|{value}") for system, value in identifiers if system and value
    ]


def url_keys(urls: Iterable[str]) -> list[str]:
    """Absolute addresses as keys. `urn:` means something only inside its bundle, so it gives none."""
    return [without_nul(f"{_URL}{url}") for url in urls if url.startswith(("http://", "https://"))]


def contradicts(known_date: str | None, said_date: str | None) -> bool:
    """Whether two FHIR dates cannot be the same day.

    >>> contradicts("1970-05", "1970"), contradicts("1970-05-01", "1970-06")
    (False, True)
    """
    if not known_date or not said_date:
        return False
    left, right = known_date[:_DATE_LENGTH], said_date[:_DATE_LENGTH]
    return not (left.startswith(right) or right.startswith(left))


def contradict(connection: Connection, one: str, other: str) -> bool:
    """Whether two patients of ours cannot be one person, by birth date or sex."""
    rows = [connection.execute(_PERSON, {"id": patient_id}).one() for patient_id in (one, other)]
    return contradicts(rows[0].birth_date, rows[1].birth_date) or {row.sex for row in rows} == _OPPOSITES


def _matches(
    connection: Connection, identity: PatientIdentity, keys: list[str], *, group: int
) -> tuple[str | None, str | None]:
    """Whose record it is, and as whom they are known."""
    found: dict[str, str] = {}  # as whom they are known: whose record it is
    ids = [one for one in (identity.own_id, identity.matched_id) if one is not None]
    if ids:
        found = {row.id: row.merged_into or row.id for row in connection.execute(_PATIENTS_BY_ID, {"ids": ids})}
    if identity.own_id is not None and identity.own_id not in found:
        raise NotFound("Patient", identity.own_id)
    named = next(iter(found), None)
    if keys:
        found |= {row.id: row.merged_into or row.id for row in connection.execute(_PATIENTS_BY_KEY, {"keys": keys})}
    records = set(found.values())
    if len(records) > 1:
        raise PatientConflict("identifier", group=group)
    record = next(iter(records), None)
    return record, named or (record if record in found else next(iter(found), None))


def _refuse_contradiction(
    connection: Connection, patient_id: str, identity: PatientIdentity, *, group: int
) -> tuple[str | None, str | None]:
    row = connection.execute(_PERSON, {"id": patient_id}).one()
    if identity.own_id is None:
        if contradicts(row.birth_date, identity.birth_date):
            raise PatientConflict("birthDate", group=group)
        if {row.sex, identity.sex} == _OPPOSITES:
            raise PatientConflict("gender", group=group)
    return row.birth_date, row.sex


def _create(connection: Connection, identity: PatientIdentity, keys: list[str], *, now: datetime) -> str:
    patient_id = str(uuid.uuid4())
    person = {"id": patient_id, "birth_date": identity.birth_date, "sex": identity.sex, "created_at": now}
    connection.execute(_INSERT_PATIENT, person)
    if keys:
        connection.execute(_INSERT_KEY, [{"key": key, "patient_id": patient_id} for key in dict.fromkeys(keys)])
    return patient_id


def _add_keys(connection: Connection, patient_id: str, keys: list[str]) -> None:
    if not keys:
        return
    held = set(connection.scalars(_KNOWN_KEYS, {"keys": keys}))
    missing = [{"key": key, "patient_id": patient_id} for key in dict.fromkeys(keys) if key not in held]
    if missing:
        connection.execute(_INSERT_KEY, missing)


def _complete(
    connection: Connection, patient_id: str, identity: PatientIdentity, *, birth_date: str | None, sex: str | None
) -> None:
    """Keep the more precise date and the sex where it was unknown; who names our own id corrects both."""
    said_date, said_sex = identity.birth_date, identity.sex
    if identity.own_id is None:
        said_date = said_date if len(said_date or "") > len(birth_date or "") else birth_date
        said_sex = sex if sex in _OPPOSITES else said_sex or sex
    said_date, said_sex = said_date or birth_date, said_sex or sex
    if (said_date, said_sex) != (birth_date, sex):
        connection.execute(
            sa.update(patients).where(patients.c.id == patient_id).values(birth_date=said_date, sex=said_sex)
        )
