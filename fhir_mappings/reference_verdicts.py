"""This file says of each reference in a transaction what became of it, where it does not simply resolve.

The algorithm is FHIR R4's https://hl7.org/fhir/R4/bundle.html#references, with one leniency that is said: where there
is no fullUrl to start from, type and id alone find an entry. What is neither in the Bundle nor kept here dangles; it
is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from typing import Any, Final

from fhir_mappings.bundle import SUBJECT_ELEMENTS, ParsedBundle
from fhir_mappings.elements import every_reference, mapping, string
from fhir_mappings.issues import INFORMATION, WARNING, Issue
from fhir_mappings.own_output import is_own_output
from fhir_mappings.reference_issues import points_to_people
from fhir_mappings.references import Addressed, References, Target, base_of, meaning, named_type, without_version
from fhir_mappings.resource_types import KEPT_TYPES, PEOPLE_AND_PLACES

_NAME: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """One reference that is to be spoken of: `means` is where it leads, its version left out."""

    index: int
    path: str
    means: str
    kind: str  # open, ambiguous, lenient, logical, unsearched


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReferences:
    """The references of a Bundle that did not simply resolve in it."""

    found: tuple[_Reference, ...]

    def names(self) -> set[tuple[str, str]]:
        """Type and id of those that may mean something of ours."""
        named = (_NAME.fullmatch(one.means) for one in self.found if one.kind == "open")
        return {(one[1], one[2]) for one in named if one}

    def addresses(self) -> set[str]:
        """Those that are absolute addresses."""
        return {one.means for one in self.found if one.kind == "open" and one.means.startswith("http")}

    def verdicts(self, *, held: Set[str]) -> list[Issue]:
        """One issue per entry and verdict; `held` are the names and addresses that are known here."""
        places: dict[tuple[int, str], list[str]] = {}
        for one in self.found:
            if one.kind != "open" or one.means not in held:
                places.setdefault((one.index, _verdict(one)), []).append(one.path)
        return [_issue(verdict, paths) for (_, verdict), paths in sorted(places.items())]


def open_references(bundle: ParsedBundle, *, base: str) -> OpenReferences:
    """What does not simply resolve, in the entries that are kept. `base` is our own address."""
    addressed = {
        entry.index: Addressed(index=entry.index, full_url=entry.full_url, resource=entry.resource)
        for entry in bundle.entries
        if entry.resource is not None and entry.type in KEPT_TYPES and not is_own_output(entry.resource)
    }
    references = References(addressed.values())
    found = [
        one
        for source in addressed.values()
        for one in (*_literal(source, references, base), *_logical(source.index, source.resource))
    ]
    return OpenReferences(found=tuple(found))


def _literal(source: Addressed, references: References, base: str) -> Iterator[_Reference]:
    home = base_of(source.full_url)
    for path, text in sorted(every_reference(source.resource, path=f"Bundle.entry[{source.index}].resource")):
        target = references.resolve(text, source)
        means = meaning(text, base=home).removeprefix(f"{base}/")
        if "?" in text:
            kind = "" if named_type(text) in KEPT_TYPES else "unsearched"
        elif isinstance(target, Target):
            # Without a fullUrl to start from, a relative reference found its entry by type and id alone.
            kind = "lenient" if home is None and _NAME.fullmatch(without_version(text)) else ""
        else:
            kind = "ambiguous" if target == "ambiguous" else "open"
        if kind:
            yield _Reference(index=source.index, path=path, means=means, kind=kind)


def _logical(index: int, resource: dict[str, Any]) -> Iterator[_Reference]:
    """References by identifier alone. Whose a resource is, they do say; nothing else is followed."""
    waiting: list[tuple[str, Any]] = [
        (f"Bundle.entry[{index}].resource.{name}", value)
        for name, value in resource.items()
        if name not in SUBJECT_ELEMENTS
    ]
    while waiting:
        path, found = waiting.pop()
        if isinstance(found, list):
            waiting.extend((f"{path}[{at}]", child) for at, child in enumerate(found))
        elif isinstance(found, dict):
            identifier = mapping(found.get("identifier"))
            if string(identifier.get("value")) and "reference" not in found:
                yield _Reference(index=index, path=path, means="", kind="logical")
            waiting.extend((f"{path}.{name}", child) for name, child in found.items() if isinstance(child, dict | list))


def _verdict(one: _Reference) -> str:
    if one.kind != "open":
        return one.kind
    kind = named_type(one.means)
    return "quiet" if kind in PEOPLE_AND_PLACES or (kind is None and points_to_people(one.path)) else "dangling"


_WORDS: Final = {
    "dangling": Issue(
        severity=WARNING,
        code="not-found",
        detail="dangling-reference",
        text="This reference leads to nothing that was sent or is kept here; it stays as it came. Send the resource as "
        "well.",
    ),
    "quiet": Issue(
        severity=INFORMATION,
        code="not-found",
        detail="dangling-reference",
        text="This reference to people or places leads to nothing that was sent or is kept here; it stays as it came.",
    ),
    "ambiguous": Issue(
        severity=WARNING,
        code="multiple-matches",
        detail="ambiguous-reference",
        text="This reference fits more than one entry and was not followed: use the fullUrl.",
    ),
    "lenient": Issue(
        severity=WARNING,
        code="informational",
        detail="lenient-reference",
        text="Without a fullUrl this relative reference has nothing to start from; its entry was found by type and id "
        "alone. Give the entries fullUrls.",
    ),
    "logical": Issue(
        severity=INFORMATION,
        code="informational",
        detail="logical-reference",
        text="This reference names an identifier alone; it stays as it came and is not followed.",
    ),
    "unsearched": Issue(
        severity=INFORMATION,
        code="not-supported",
        detail="reference-not-looked-for",
        text="This reference is a search for a type that is not kept here; it stays as it came.",
    ),
}


def _issue(verdict: str, paths: Iterable[str]) -> Issue:
    return replace(_WORDS[verdict], expression=tuple(paths))
