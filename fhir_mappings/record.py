"""This file holds one patient's resources while they are read: where each stands, what refers to what, what was odd.

A `Source` is one resource, a `Record` all of them with what is known beforehand. Readers never change a resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from correlation.catalogue import Knowledge
from correlation.dates import DateRange
from correlation.timeline import ResourceRef
from correlation.words import Words
from fhir_mappings.dates import ReadDate, possible, read_when
from fhir_mappings.elements import objects, references, string
from fhir_mappings.issues import ERROR, INFORMATION, WARNING, Issue
from fhir_mappings.references import Addressed, References, Target, base_of, meaning

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResource:
    """One resource to read, as it came or as it was kept.

    `reference` is how evidence will name it. `entry_index` is its place in the Bundle, for FHIRPaths; `None` for a
    stored one. `full_url` is the URL it came with: other resources may refer to it so, and relative references inside
    it start from there.
    """

    reference: str
    resource: dict[str, Any]
    version: str | None
    sha256: str
    entry_index: int | None = None
    full_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One resource being read: its content, how it is cited, and its FHIRPath."""

    resource: dict[str, Any]
    ref: ResourceRef
    path: str
    index: int

    @property
    def type(self) -> str:
        """The resource type."""
        return self.ref.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource that a reference led to. `source` is the top-level one; `resource` may be contained in it."""

    source: Source
    resource: dict[str, Any]
    ref: ResourceRef


@dataclass(kw_only=True)
class Record:
    """One patient's resources and what the readers need to know."""

    sources: Sequence[Source]
    references: References
    addressed: dict[int, Addressed]
    knowledge: Knowledge
    as_of: date
    birth: DateRange | None = None
    sex: str | None = None
    issues: list[Issue] = field(default_factory=list)

    @property
    def words(self) -> Words:
        """The words in which the facts say how they were read."""
        return self.knowledge.words

    def of_type(self, *types: str) -> list[Source]:
        """The resources of these types, in the input's order."""
        return [source for source in self.sources if source.type in types]

    def add(self, issues: Iterable[Issue]) -> None:
        """Keep issues for the answer."""
        self.issues.extend(issues)

    def follow(self, reference: str, source: Source) -> Found | None:
        """What a reference inside `source` leads to. A dead end was reported when the record was opened."""
        target = self.references.resolve(reference, self.addressed[source.index])
        if not isinstance(target, Target):
            return None
        found = self.sources[target.at.index]
        if target.contained_id is None:
            return Found(source=found, resource=target.resource, ref=found.ref)
        ref = ResourceRef(
            type=string(target.resource.get("resourceType")),
            reference=f"{found.ref.reference}#{target.contained_id}",
            version=found.ref.version,
            sha256=found.ref.sha256,
        )
        return Found(source=found, resource=target.resource, ref=ref)

    def follow_all(self, value: object, source: Source) -> list[Found]:
        """What a Reference, or a list of them, leads to."""
        texts = (string(item.get("reference")) for item in objects(value))
        return [found for text in texts if text and (found := self.follow(text, source)) is not None]

    def meant(self, value: object, source: Source) -> set[str]:
        """The addresses that a Reference, or a list of them, means: a relative one starts from its source's server."""
        base = base_of(self.addressed[source.index].full_url)
        return {meaning(text, base=base) for text in references(value) if not text.startswith("#")}

    def when(self, source: Source, *, stem: str, what: str) -> DateRange | None:
        """The date of `stem[x]`, checked against birth and today; odd ones leave an issue."""
        read = read_when(source.resource, stem=stem, path=source.path, what=what)
        self.add(read.issues)
        return self.checked(read.when, path=f"{source.path}.{stem}")

    def quiet_when(self, source: Source, *, stem: str) -> DateRange | None:
        """The date of `stem[x]` where a missing one is no fault."""
        read: ReadDate = read_when(source.resource, stem=stem, path=source.path, what="")
        return self.checked(read.when, path=f"{source.path}.{stem}")

    def checked(self, when: DateRange | None, *, path: str) -> DateRange | None:
        """The date, or `None` with an issue where it cannot be true."""
        kept, issues = possible(when, birth=self.birth, as_of=self.as_of, path=path)
        self.add(issues)
        return kept

    def guarded(self, read: Callable[[], _T], *, path: str, otherwise: _T) -> _T:
        """The result of `read`; where it fails, an issue and `otherwise`, so that one resource never costs the others.

        The error itself is dropped: its text may hold values of the record.
        """
        try:
            return read()
        except Exception:  # whatever shape a resource has, the others must still be read
            text = "This resource could not be read and was left out: validate it against FHIR R4."
            issue = Issue(severity=ERROR, code="exception", detail="unreadable-resource", text=text, expression=(path,))
            self.issues.append(issue)
            return otherwise

    def guarded_list(self, read: Callable[[], list[_T]], *, path: str) -> list[_T]:
        """As `guarded`, with an empty list where it fails."""
        empty: list[_T] = []
        return self.guarded(read, path=path, otherwise=empty)

    def warn(self, detail: str, text: str, path: str, *, code: str = "business-rule") -> None:
        """Keep a warning."""
        self.issues.append(Issue(severity=WARNING, code=code, detail=detail, text=text, expression=(path,)))

    def inform(self, detail: str, text: str, path: str, *, code: str = "informational") -> None:
        """Keep an information."""
        self.issues.append(Issue(severity=INFORMATION, code=code, detail=detail, text=text, expression=(path,)))


ENTERED_IN_ERROR: Final = "entered-in-error"
