"""This file reports references that lead nowhere, fit several, or go round in a circle.

People, places and papers are named once for each type, as information: nothing of the reading rests on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from fhir_mappings.elements import every_reference, objects, string
from fhir_mappings.issues import INFORMATION, WARNING, Issue, grouped
from fhir_mappings.record import Record, Source
from fhir_mappings.references import Target, named_type, without_version
from fhir_mappings.resource_types import KEPT_TYPES, PEOPLE_AND_PLACES, R4_TYPES

_CHAINS: Final = ("partOf", "basedOn", "derivedFrom", "hasMember", "replaces", "parent")
_SUBJECTS: Final = ("subject", "patient", "beneficiary", "for", "individual")
_QUIET: Final = (
    PEOPLE_AND_PLACES | (R4_TYPES - KEPT_TYPES) | {"Patient", "Specimen", "AllergyIntolerance", "Medication"}
)


def reference_issues(record: Record) -> Iterator[Issue]:
    """Every dead end, doubt and circle among the references of the record."""
    quiet: dict[str, list[str]] = {}
    for source in record.sources:
        for path, text in every_reference(source.resource, path=source.path):
            found = record.references.resolve(text, record.addressed[source.index])
            if isinstance(found, Target) or _is_subject(path, source):
                continue
            kind = named_type(text) or ""
            if found == "ambiguous":
                words = "This reference fits more than one resource and was not followed: use the fullUrl."
                yield Issue(
                    severity=WARNING,
                    code="multiple-matches",
                    detail="ambiguous-reference",
                    text=words,
                    expression=(path,),
                )
            elif kind in _QUIET or points_to_people(path):
                quiet.setdefault(kind, []).append(path)
            else:
                words = "This reference leads to nothing that was sent or kept: send the resource as well."
                yield Issue(
                    severity=WARNING, code="not-found", detail="dangling-reference", text=words, expression=(path,)
                )
    for kind, paths in sorted(quiet.items()):
        name = f"references to {kind}" if kind in R4_TYPES else "references to people or places"
        words = f"Some {name} lead to nothing that was sent or kept; nothing of the reading rests on them."
        issue = Issue(severity=INFORMATION, code="not-found", detail="dangling-reference", text=words)
        yield grouped(issue, paths=paths)
    yield from _circles(record)


_PEOPLE_ELEMENTS: Final = (
    "encounter", "performer", "actor", "location", "requester", "recorder", "asserter", "author", "organization",
    "onBehalfOf", "managingOrganization", "generalPractitioner", "serviceProvider", "individual", "informationSource",
    "resultsInterpreter", "endpoint", "referrer", "interpreter", "custodian", "owner", "context", "assigner", "insurer",
    "provider",
)  # fmt: skip


def points_to_people(path: str) -> bool:
    """Whether the element at a path names who or where, of which nothing of the reading rests."""
    last = path.rpartition(".")[2].partition("[")[0]
    return last in _PEOPLE_ELEMENTS


def _is_subject(path: str, source: Source) -> bool:
    """Whose a resource is was settled before; a patient who was only named needs no Patient resource."""
    inside = path.removeprefix(source.path).lstrip(".").partition("[")[0].partition(".")[0]
    return inside in _SUBJECTS


def _circles(record: Record) -> Iterator[Issue]:
    onward = {source.index: dict.fromkeys(_next(source, record)) for source in record.sources}
    places = [record.sources[index].path for index in _in_a_circle(onward)]
    if places:
        words = (
            "Chains of references between these come back to themselves: correct them. Each was followed one step only."
        )
        yield grouped(
            Issue(severity=WARNING, code="business-rule", detail="circular-reference", text=words), paths=places
        )


def _next(source: Source, record: Record) -> Iterator[int]:
    for name in _CHAINS:
        for item in objects(source.resource.get(name)):
            text = without_version(string(item.get("reference")))
            found = record.references.resolve(text, record.addressed[source.index]) if text else None
            if isinstance(found, Target) and found.contained_id is None:
                yield found.at.index


def _in_a_circle(onward: dict[int, dict[int, None]]) -> Iterable[int]:
    """The nodes that lie on a circle: what remains when ends and beginnings are taken away again and again."""
    left = {node: set(targets) for node, targets in onward.items() if targets}
    while True:
        pointed_at = {target for targets in left.values() for target in targets}
        kept = {
            node: targets & left.keys()
            for node, targets in left.items()
            if node in pointed_at and targets & left.keys()
        }
        if kept == left:
            return sorted(kept)
        left = kept
