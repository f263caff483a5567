"""This file looks at the `request` of each entry of a transaction or batch: what cannot be done is refused, by name.

FHIR R4 https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from admission.incoming import version_named
from admission.search_terms import ConditionRefused, condition_from
from api.entry_refusals import EntryRefusal
from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.elements import string
from fhir_mappings.own_output import is_own_output
from fhir_mappings.references import base_of, without_version
from fhir_mappings.resource_types import KEPT_TYPES
from fhir_mappings.search_query import BadParameter, read_search
from store.incoming import Deletion

_TYPE: Final = re.compile(r"[A-Z][A-Za-z]+")
_TYPE_AND_ID: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})")
_READ: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/([0-9]{1,9}))?")
_SEARCH: Final = re.compile(r"([A-Z][A-Za-z]+)(?:\?(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an entry is looked at with: our base; of the types and ids that are named, what the sender may read, what we
    made, and what the sender may update."""

    base: str
    readable: frozenset[tuple[str, str]]
    made: frozenset[tuple[str, str]]
    updatable: frozenset[tuple[str, str]]


def refusals_of(bundle: ParsedBundle, around: Surroundings) -> Mapping[int, EntryRefusal]:
    """The entries that cannot be done, by their index."""
    found = {entry.index: _refusal(entry, around) for entry in bundle.entries}
    if bundle.type == "transaction":
        found |= _overlaps(bundle, around)
    return {index: refusal for index, refusal in found.items() if refusal is not None}


def targets_of(bundle: ParsedBundle, *, base: str) -> set[tuple[str, str]]:
    """The types and ids that the entries name in their addresses."""
    found = (_READ.fullmatch(plain_url(entry, base)) for entry in bundle.entries if entry.method and entry.url)
    return {(one[1], one[2]) for one in found if one}


def deletions_of(bundle: ParsedBundle, *, base: str) -> Sequence[Deletion]:
    """The entries that delete."""
    return [
        Deletion(type=target[0], id=target[1], if_match=version_named(entry.if_match), entry_index=entry.index)
        for entry in bundle.entries
        if entry.method == "DELETE" and (target := instance_named(entry, base))
    ]


def instance_named(entry: ParsedEntry, base: str) -> tuple[str, str] | None:
    """Type and id where the address of an entry is that of one resource."""
    found = _TYPE_AND_ID.fullmatch(plain_url(entry, base))
    return found and (found[1], found[2])


def plain_url(entry: ParsedEntry, base: str) -> str:
    """`request.url` from our base on, also where it was written in full."""
    return (entry.url or "").removeprefix(f"{base}/").removeprefix("/")


def read_wanted(url: str) -> tuple[str, str, int | None] | None:
    """Type, id and version of an address that is read; None where it is a search or nothing we know."""
    found = _READ.fullmatch(url)
    return found and (found[1], found[2], int(found[3]) if found[3] else None)


def search_wanted(url: str) -> tuple[str, str] | None:
    """Type and query of an address that is searched."""
    found = _SEARCH.fullmatch(url)
    return found and (found[1], found[2] or "")


def _refusal(entry: ParsedEntry, around: Surroundings) -> EntryRefusal | None:
    path = f"Bundle.entry[{entry.index}]"
    if entry.method is None or entry.url is None:
        text = "Say what to do with this entry: request.method and request.url."
        return EntryRefusal.of("required", detail="no-request", text=text, path=f"{path}.request")
    if entry.method in {"GET", "HEAD"}:
        return _refused_read(entry, path, around)
    if entry.method == "DELETE":
        return _refused_deletion(entry, path, around)
    if entry.method not in {"POST", "PUT"}:
        text = "Here POST, PUT, DELETE, GET and HEAD are done. Send the whole resource by PUT."
        return _not_offered(text, f"{path}.request.method")
    if entry.resource is None:
        text = "This entry writes, so it needs a resource."
        return EntryRefusal.of("required", detail="no-resource", text=text, path=f"{path}.resource")
    return _refused_write(entry, path, around)


def _refused_read(entry: ParsedEntry, path: str, around: Surroundings) -> EntryRefusal | None:
    url = plain_url(entry, around.base)
    read = read_wanted(url)
    if read is not None:
        if read[:2] in around.readable:
            return None
        text = "There is nothing under this id here. Take ids from our answers, not from the source system."
        return EntryRefusal.of("not-found", detail="not-found", text=text, path=f"{path}.request.url", status=404)
    asked = search_wanted(url)
    if asked is None or asked[0] not in KEPT_TYPES | {"Provenance"}:
        return _not_offered(
            "Read by Type/id, or search by Type?parameter=value, of a type that is kept.", f"{path}.request.url"
        )
    try:
        read_search(asked[0], query_of(asked[1]))
    except BadParameter as bad:
        return EntryRefusal.of("value", detail="invalid-parameter", text=bad.text, path=f"{path}.request.url")
    return None


def query_of(text: str) -> list[tuple[str, str]]:
    """The names and values of a query."""
    return parse_qsl(text, keep_blank_values=True)


def _refused_deletion(entry: ParsedEntry, path: str, around: Surroundings) -> EntryRefusal | None:
    named = instance_named(entry, around.base)
    if named is None:
        return _not_offered("Delete by Type/id; by a search it is not offered.", f"{path}.request.url")
    return _own(f"{path}.request.url") if named in around.made else None


def _refused_write(entry: ParsedEntry, path: str, around: Surroundings) -> EntryRefusal | None:
    url, where = plain_url(entry, around.base), f"{path}.request.url"
    if "?" in url:
        return _not_offered(
            "Update by Type/id; by a search it is not offered. To create only once use ifNoneExist.", where
        )
    named = (_TYPE if entry.method == "POST" else _TYPE_AND_ID).fullmatch(url)
    if named is None:
        text = "Write request.url as Type for POST and as Type/id for PUT."
        return EntryRefusal.of("value", detail="invalid-element", text=text, path=where)
    if named.group(0 if entry.method == "POST" else 1) != entry.type:
        text = "request.url and resource.resourceType name different types: make them the same."
        return EntryRefusal.of("value", detail="invalid-element", text=text, path=where)
    if entry.method == "PUT":
        return _refused_update(entry, named, path, around)
    if entry.if_none_exist is not None:
        try:
            condition_from(named[0], entry.if_none_exist, base=around.base)
        except ConditionRefused as refused:
            where = f"{path}.request.ifNoneExist"
            return EntryRefusal.of("value", detail="invalid-condition", text=refused.text, path=where)
    return None


def _refused_update(entry: ParsedEntry, named: re.Match[str], path: str, around: Surroundings) -> EntryRefusal | None:
    resource = entry.resource or {}
    if is_own_output(resource) or (named[1], named[2]) in around.made:
        return _own(f"{path}.resource")
    said = string(resource.get("id"))
    if said and said != named[2]:
        text = "request.url and resource.id name different ids: make them the same."
        return EntryRefusal.of("value", detail="invalid-element", text=text, path=f"{path}.resource.id")
    known = (named[1], named[2]) in around.updatable or _comes_from_elsewhere(entry, named[0], around)
    if known or entry.type not in KEPT_TYPES:
        return None
    text = (
        "There is nothing under this id, and ids are given here: POST the resource, or name in fullUrl the address "
        "that it has on its own server."
    )
    where = f"{path}.request.url"
    return EntryRefusal.of("not-supported", detail="no-client-ids", text=text, path=where, status=405)


def _comes_from_elsewhere(entry: ParsedEntry, name: str, around: Surroundings) -> bool:
    """Whether the id is that of another server, whose address the entry names: by it the resource is known again."""
    address = without_version(entry.full_url or "")
    base = base_of(address)
    return base is not None and base != around.base and address == f"{base}/{name}"


def _overlaps(bundle: ParsedBundle, around: Surroundings) -> Mapping[int, EntryRefusal]:
    """Two entries of a transaction that update or delete the same resource."""
    of_one: dict[str, list[ParsedEntry]] = {}
    for entry in bundle.entries:
        if entry.method in {"PUT", "DELETE"}:
            url = plain_url(entry, around.base)
            elsewhere = entry.method == "PUT" and _comes_from_elsewhere(entry, url, around)
            of_one.setdefault(without_version(entry.full_url or "") if elsewhere else url, []).append(entry)
    text = (
        "Another entry of this transaction updates or deletes the same resource: a transaction changes each only once."
    )
    return {
        entry.index: EntryRefusal.of(
            "duplicate", detail="same-identity", text=text, path=f"Bundle.entry[{entry.index}].request.url"
        )
        for entries in of_one.values()
        if len(entries) > 1
        for entry in entries
    }


def _own(path: str) -> EntryRefusal:
    text = "What Fillertrace made is not changed here. Reports are signed by PUT DiagnosticReport/id with If-Match."
    return EntryRefusal.of("not-supported", detail="own-output", text=text, path=path)


def _not_offered(text: str, path: str) -> EntryRefusal:
    return EntryRefusal.of("not-supported", detail="not-offered", text=text, path=path)
