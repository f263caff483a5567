"""This file names what the engine answers: replies to questions, a category per cause, an attribution per finding.

The words of `Category` are borrowed from WHO-UMC's causality categories; the counts behind them are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar, overload

from correlation.dates import DateRange
from correlation.timeline import BodySite, FillerInjection, ImagingFinding, PatientTimeline, ResourceRef

T = TypeVar("T")


class Reply(StrEnum):
    """Three replies, never two: a missing fact is neither a yes nor a no."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not-known"


class Strength(StrEnum):
    """How much one answer weighs for or against a cause."""

    STRONG_FOR = "strong-for"
    MODERATE_FOR = "moderate-for"
    SUPPORTING_FOR = "supporting-for"
    NONE = "none"
    SUPPORTING_AGAINST = "supporting-against"
    MODERATE_AGAINST = "moderate-against"
    STRONG_AGAINST = "strong-against"


class Category(StrEnum):
    """How well a cause fits, read from `knowledge/categories.toml`."""

    PROBABLE = "probable"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    UNASSESSABLE = "unassessable"


class Attribution(StrEnum):
    """Whether recorded fillers explain the findings (contract, section 4)."""

    EXPLAINED = "explained"
    PARTLY = "partly"
    NOT_EXPLAINED = "not-explained"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question answered for one cause: the reply, its weight, one sentence why, the facts and the sources.

    `because` holds clinical words and may quote values: it is for the report, never for a log.
    """

    question: str
    ask: str
    reply: Reply
    strength: Strength
    because: str
    evidence: tuple[ResourceRef, ...] = ()
    sources: tuple[str, ...] = ()


class WhenRead(Sequence[T]):
    """A tuple that is put into words when it is first read: of thirty causes a reader sees a few."""

    __slots__ = ("_items", "_write")

    def __init__(self, write: Callable[[], tuple[T, ...]]) -> None:
        """`write` gives the items; it is called at most once."""
        self._write = write
        self._items: tuple[T, ...] | None = None

    def _written(self) -> tuple[T, ...]:
        if self._items is None:
            self._items = self._write()
        return self._items

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        return self._written()[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self._written())

    def __len__(self) -> int:
        return len(self._written())

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, WhenRead | tuple) and self._written() == tuple(other))

    def __hash__(self) -> int:
        return hash(self._written())

    def __repr__(self) -> str:
        return repr(self._written())

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        """Between processes, a plain tuple of what was written."""
        return tuple, (self._written(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would move a conclusion: the questions that would have to be answered, how, and where it would stand.

    Without a question: that what is withheld were seen and held nothing contrary.
    """

    questions: tuple[str, ...]
    replies: tuple[Reply, ...]
    becomes: str  # a Category for a cause, an Attribution for the patient
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatingQuestion:
    """The next thing to find out: the unknown question that separates the two best causes most (ids of causes).

    `cause` is the one that asks, so that "the disease" in `ask` is known; `favours_first` and `favours_second` are the
    replies that would speak for the one and for the other; `says` puts all of it in a sentence.
    """

    question: str
    ask: str
    cause: str
    first_cause: str
    second_cause: str
    favours_first: Reply
    favours_second: Reply
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseAssessment:
    """One candidate cause with every answer for, against and unknown."""

    cause: str
    name: str
    category: Category
    answers: Sequence[Answer]
    would_change: tuple[Change, ...] = ()
    next_step: str = ""
    from_filler: bool = False  # a recorded filler, or a known late effect of one


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCourse:
    """The same finding (site and kind) over its studies, oldest first."""

    key: str  # stable over versions: kind and region
    kind: str
    site: BodySite | None
    seen: tuple[ImagingFinding, ...]
    first_seen: DateRange | None
    course: str  # in plain words: "seen once", "smaller on 2021-10-14 than on 2019-10-15"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingAssessment:
    """One finding with its own differential and attribution.

    `injections` are the ones that fit it, also where they only would explain it, as something is withheld.
    """

    finding: FindingCourse
    attribution: Attribution
    because: str
    differential: Sequence[CauseAssessment]
    injections: tuple[FillerInjection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something to act on whatever the ranking says. `code` is a code of our CodeSystem `alert`."""

    code: str
    says: str
    evidence: tuple[ResourceRef, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedFact:
    """A record that was read and not counted, with the reason."""

    source: ResourceRef
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The whole answer about one patient.

    `attribution` is `None` where there is no imaging at all: then there is no report; `missing` says what is needed.
    `differential` ranks the causes over all findings, best first, every cause of the knowledge base included.
    `separating_question` is what to find out next to tell the two best apart, `None` where no two are likely.
    """

    attribution: Attribution | None
    because: str
    findings: tuple[FindingAssessment, ...]
    differential: Sequence[CauseAssessment]
    alerts: tuple[Alert, ...]
    missing: tuple[str, ...]
    unused: Sequence[UnusedFact]
    would_change: tuple[Change, ...]
    separating_question: SeparatingQuestion | None = None
    conclusion: str
    limitations: tuple[str, ...]
    timeline: PatientTimeline
    as_of: date
    edition: str
    digest: str
