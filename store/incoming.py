"""This file names what a door hands to `store.intake` and what it gets back.

Content is bytes; the store never parses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from store.search_criteria import NO_VALUES, Criterion, SearchValues

Rewrite = Callable[[bytes, Mapping[str, str]], bytes]
"""Given a content and the map `local key -> Type/id of ours`, the content with its references replaced.

It must be pure, and ask the map (`get`, `in`, `[]`) for each reference it finds rather than walk over the map: the
store learns from the questions which resources refer to which. A key with `/_history` behind it asks for the reference
to the version that this intake leaves. The content should come without `id`, `meta.versionId` and `meta.lastUpdated`:
these belong to the sender, and two copies that differ only there are the same resource.
"""


VERSION_SUFFIX = "/_history"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """By what a patient may be known already.

    `identifiers` are (system, value) pairs; those without system are ignored. `urls` are absolute addresses. `own_id`
    is an id of ours, given only where the caller means our Patient; `matched_id` one that a condition has found, of
    which nothing is learnt from what was sent. `birth_date` as FHIR writes it, `sex` a FHIR gender code.
    """

    identifiers: tuple[tuple[str, str], ...] = ()
    urls: tuple[str, ...] = ()
    own_id: str | None = None
    matched_id: str | None = None
    birth_date: str | None = None
    sex: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingResource:
    """One resource of a bundle.

    `local_keys` are the forms in which the other entries refer to it (`urn:uuid:…`, the full URL, `Type/id`);
    `urls` its absolute addresses, `identifiers` its (system, value) pairs, `own_id` our id where the caller means a
    resource we hold (PUT). `if_match` is the version it must be at. `condition` is that of If-None-Exist: what it finds
    stands for this resource and stays as it is. `search` is by what it is found later. `shared` marks what belongs to
    no single patient (Practitioner, Organization, Location). `entry_index` is its place in the bundle; the same
    resource in two groups has the same one.
    """

    type: str
    content: bytes
    local_keys: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    own_id: str | None = None
    if_match: int | None = None
    condition: tuple[Criterion, ...] | None = None
    search: SearchValues = NO_VALUES
    shared: bool = False
    entry_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalReference:
    """A reference that is a search, `text` as it stands: exactly one resource of `type` must fit.

    `element` is its path inside the entry `entry_index`.
    """

    text: str
    type: str
    criteria: tuple[Criterion, ...]
    entry_index: int | None
    element: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLink:
    """A Patient says that one record has become a part of another: both as our id, address or another entry's key."""

    replaced: str
    surviving: str
    entry_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIntake:
    """One patient of a bundle with the resources about them, the Patient itself included where it was sent.

    `local_keys` are the forms in which the entries refer to the patient, also where no Patient resource was sent;
    `references` those of them that are searches, where none was sent.
    """

    identity: PatientIdentity
    resources: tuple[IncomingResource, ...] = ()
    local_keys: tuple[str, ...] = ()
    references: tuple[ConditionalReference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A resource of ours to be deleted. Deleting what is unknown or deleted already is no error (FHIR).

    `hidden`: who deletes may not do this with it, and is answered as if there were nothing.
    """

    type: str
    id: str
    if_match: int | None = None
    entry_index: int | None = None
    hidden: bool = False


class Placed(StrEnum):
    """What became of a resource."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """Where one resource went: our type, id and version."""

    entry_index: int | None
    type: str
    id: str
    version: int
    placed: Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedJob:
    """One job that was started for one patient. `fence` names its delivery to the queue."""

    job_id: str
    patient_id: str
    fence: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The answer of an intake. `repeated`: nothing was stored, this is what the first time said."""

    submission_id: str
    jobs: tuple[StartedJob, ...]
    entries: tuple[StoredEntry, ...]
    repeated: bool = False
