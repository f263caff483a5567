"""This file keeps who refers to what is nobody's own: a product, an organisation, a medicine (`shared_resources`).

In one bundle that is seen from its groups. What came earlier, alone, and is named now by its id or address, is linked
here; and who is concerned when such a resource changes is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from store.candidates import SHARED, Candidate
from store.database import in_parts
from store.incoming import Placed, Rewrite, StoredEntry
from store.tables import resources, shared_resources

_HELD = sa.select(resources.c.type, resources.c.id).where(
    resources.c.id.in_(sa.bindparam("ids", expanding=True)), resources.c.patient_id.is_(None)
)
_LINKS = sa.select(shared_resources).where(
    shared_resources.c.resource_id.in_(sa.bindparam("ids", expanding=True)),
    shared_resources.c.patient_id.in_(sa.bindparam("patients", expanding=True)),
)
_REFERRING = sa.select(shared_resources.c.patient_id).where(
    shared_resources.c.resource_id.in_(sa.bindparam("ids", expanding=True))
)
_INSERT = sa.insert(shared_resources)

Link = tuple[str, str]  # patient, resource


def link(connection: Connection, links: Iterable[Link]) -> None:
    """Keep the links that are new."""
    wanted = set(links)
    patients = list({patient_id for patient_id, _ in wanted})
    for part in in_parts({identity for _, identity in wanted}):
        found = connection.execute(_LINKS, {"ids": part, "patients": patients})
        wanted -= {(row.patient_id, row.resource_id) for row in found}
    if wanted:
        connection.execute(
            _INSERT, [{"patient_id": patient_id, "resource_id": identity} for patient_id, identity in wanted]
        )


def link_named(
    connection: Connection, candidates: Sequence[Candidate], *, named: Iterable[str], rewrite: Rewrite
) -> None:
    """Link what was here before to the patients whose resources name it now. `named` are the references to look at."""
    ids = {key.rpartition("/")[2] for key in named if _is_ours(key)}
    held = {
        f"{row.type}/{row.id}": row.id for part in in_parts(ids) for row in connection.execute(_HELD, {"ids": part})
    }
    if held:
        link(
            connection,
            (
                (patient_id, held[key])
                for candidate in candidates
                for key in _asked_by(candidate, rewrite) & held.keys()
                for patient_id in candidate.patients
            ),
        )


def concerned(connection: Connection, candidates: Sequence[Candidate], entries: Sequence[StoredEntry]) -> list[str]:
    """The patients whose picture the new versions change beyond those of this call: `entries` are of `candidates`.

    Who has seen a patient, and where, changes nothing about them: what the door marks as `shared` concerns nobody.
    """
    changed = [
        candidate
        for candidate, entry in zip(candidates, entries, strict=True)
        if entry.placed == Placed.UPDATED and not candidate.incoming.shared
    ]
    own = [candidate.scope for candidate in changed if candidate.scope != SHARED]
    ids = {str(candidate.id) for candidate in changed if candidate.scope == SHARED}
    return [*own, *who_refers(connection, ids)]


def who_refers(connection: Connection, ids: Iterable[str]) -> list[str]:
    """The patients who refer to one of these resources."""
    return [patient_id for part in in_parts(ids) for patient_id in connection.scalars(_REFERRING, {"ids": part})]


class _Asked(Mapping[str, str]):
    """A map that knows nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.keys_asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.keys_asked.add(key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _asked_by(candidate: Candidate, rewrite: Rewrite) -> set[str]:
    if not candidate.patients:
        return set()
    asked = _Asked()
    rewrite(candidate.content, asked)
    return asked.keys_asked


def _is_ours(reference: str) -> bool:
    """Whether a reference may be one of ours, `Type/id`: not a urn, not another server's address."""
    return reference.count("/") == 1 and ":" not in reference
