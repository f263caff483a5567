"""This file computes a stored report version again: its resources, its day, its knowledge base, as they were recorded.

Nothing is stored and no stored version is changed. `$explain`, other languages and `fillertrace replay` ask here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from correlation.catalogue import Knowledge
from correlation.errors import KnowledgeError
from correlation.knowledge_base import read_packed
from correlation.timeline import Withheld
from correlation.words import BASE_LANGUAGE
from fhir_mappings.basis import Basis, UnreadableBasis, read_basis
from fhir_mappings.recomputed import Recomputed, kept_from_record, recompute
from fhir_mappings.resource_json import dumps, loads
from store import knowledge_editions, report_search, reports, resources
from store.database import Database
from store.errors import NotFound
from store.reports import StoredReport
from store.resources import StoredResource

_EDITIONS_IN_MEMORY = 4

Narrow = Callable[[list[StoredResource]], tuple[list[StoredResource], Iterable[Withheld]]]
"""Of the inputs of a version, those that may be used, and the classes of data that are thereby withheld."""


class NotRecomputable(Exception):
    """The record does not hold what this version was computed from; the text says what is missing, by ids alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedVersion:
    """`computed` is the version that `stored` rests on: they differ where a person signed or withdrew `stored`.

    `recomputed` is the same computation made now, with `knowledge`, by this software.
    """

    stored: StoredReport
    computed: StoredReport
    basis: Basis
    knowledge: Knowledge
    recomputed: Recomputed

    @property
    def resources_then(self) -> list[dict[str, Any]]:
        """The resources of the computed version as they are stored."""
        return [loads(resource.content) for resource in self.computed.resources]

    @property
    def resources_now(self) -> list[dict[str, Any]]:
        """The resources that the computation made now comes to; none where it finds no imaging."""
        written = self.recomputed.written
        return [] if written is None else [loads(dumps(resource)) for resource in written.resources]

    @property
    def identical(self) -> bool:
        """Whether both are the same in every byte."""
        return [resource.content for resource in self.computed.resources] == [dumps(one) for one in self.resources_now]


def recompute_version(
    database: Database,
    report_id: str,
    *,
    version: int | None = None,
    current: Knowledge,
    with_current: bool = False,
    language: str = BASE_LANGUAGE,
    narrow: Narrow | None = None,
) -> RecomputedVersion:
    """A version of a report of ours, the newest without `version`, computed again with its recorded edition.

    `current` is today's knowledge base; `with_current` takes it in place of the recorded one; `language` is that of
    the words. `narrow` says which of the inputs may be used, and what is thereby withheld. Raises NotFound where there
    is no such report, NotRecomputable.
    """
    stored = report_search.read(database, report_id, version=version)
    basis = _basis(database, stored)
    computed = stored
    if basis.identity.version != stored.version:
        computed = report_search.read(database, report_id, version=basis.identity.version)
    knowledge = current if with_current else recorded_knowledge(database, basis.knowledge_digest, current=current)
    loaded = _inputs(database, basis)
    if narrow is not None:
        loaded, withheld = narrow(loaded)
        basis = replace(basis, withheld=tuple(sorted({*basis.withheld, *withheld})))
    kept = [
        kept_from_record(type_=one.type, identity=one.id, version=one.version, content=one.content, sha256=one.sha256)
        for one in loaded
    ]
    return RecomputedVersion(
        stored=stored,
        computed=computed,
        basis=basis,
        knowledge=knowledge,
        recomputed=recompute(kept, basis, knowledge=knowledge.in_language(language)),
    )


def inputs_of(database: Database, stored: StoredReport) -> list[StoredResource]:
    """The resources that a version rests on, as they were then. Raises NotRecomputable."""
    return _inputs(database, _basis(database, stored))


def _inputs(database: Database, basis: Basis) -> list[StoredResource]:
    try:
        return resources.at_versions(database, basis.resources)
    except NotFound as missing:
        raise NotRecomputable(f"An input is no longer kept: {missing.identity}.") from None


def recorded_knowledge(database: Database, digest: str, *, current: Knowledge) -> Knowledge:
    """The knowledge base with this digest: today's, or the one that the record keeps. Raises NotRecomputable."""
    if digest == current.digest:
        return current
    try:
        knowledge = _unpacked(knowledge_editions.read(database, digest))
    except NotFound:
        raise NotRecomputable(f"The knowledge base with digest {digest} was not recorded.") from None
    except KnowledgeError:
        raise NotRecomputable(f"This release cannot read the knowledge base with digest {digest}.") from None
    if knowledge.digest != digest:
        raise NotRecomputable(f"The recorded files of the knowledge base with digest {digest} are not the right ones.")
    return knowledge


@lru_cache(maxsize=_EDITIONS_IN_MEMORY)
def _unpacked(files: bytes) -> Knowledge:
    return read_packed(files)


def _basis(database: Database, stored: StoredReport) -> Basis:
    written = reports.basis_of(database, stored.id, version=stored.version)
    if written is None:
        raise NotRecomputable(
            f"Version {stored.version} was written by a release that did not record what it was computed from."
        )
    try:
        return read_basis(written)
    except UnreadableBasis:
        raise NotRecomputable(
            f"What version {stored.version} was computed from was recorded in another form."
        ) from None
