"""This file holds the words of one language: what the knowledge base, the engine and the worksheet say in it.

The words stand in `knowledge/languages/`, one file per language; code names a sentence by its id and hands over what
varies. A third language is a third file.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from correlation.dates import DateRange
from correlation.timeline import BodySite, FillerInjection, ImagingExam, Side, Withheld

BASE_LANGUAGE = "en"
"""The language that the files of causes, materials, regions, tests and alerts are written in."""

LATERAL = frozenset({Side.LEFT, Side.RIGHT})


def lookup(tag: str, languages: Container[str]) -> str | None:
    """The language that a BCP 47 tag asks for: itself, else without its last parts (RFC 4647, 3.4); `None` where none.

    >>> lookup("es-MX", {"en", "es"}), lookup("fr", {"en", "es"})
    ('es', None)
    """
    parts = tag.strip().lower().split("-")
    while parts:
        if (asked := "-".join(parts)) in languages:
            return asked
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseWords:
    """What one cause is called, and what it asks, by the id of the question."""

    name: str
    summary: str
    next_step: str
    ask: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWords:
    """What one alert is called, its name within a sentence, and what it says."""

    name: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language. `code` is a BCP 47 tag; `unchecked` says that no clinician has checked the wording, or is blank;
    `status` is the review status of the knowledge base, in this language.

    `sentences` are patterns with their variable parts in braces; `terms` are single words that a sentence lists, such
    as forms, tissues and sides, by the id that the engine uses. `kinds` and `checked` say what a source is and how much
    of it was read, by the words of references.toml.
    """

    code: str
    name: str
    status: str
    unchecked: str
    sentences: Mapping[str, str]
    terms: Mapping[str, str]
    regions: Mapping[str, str]
    materials: Mapping[str, str]
    labs: Mapping[str, str]
    kinds: Mapping[str, str]
    checked: Mapping[str, str]
    alerts: Mapping[str, AlertWords]
    causes: Mapping[str, CauseWords]

    def say(self, sentence: str, **values: object) -> str:
        """The sentence of that id. Raises KeyError for an id that no language has: a fault of the code, tested."""
        pattern = self.sentences[sentence]
        return pattern.format_map(values) if values else pattern

    def term(self, term: str) -> str:
        """One word; a word that the catalogue lacks is said as its id."""
        return self.terms.get(term) or term.replace("_", " ")

    def terms_of(self, terms: Iterable[str]) -> list[str]:
        """The words in alphabetical order."""
        return sorted(self.term(item) for item in terms)

    def listed(self, terms: Iterable[str]) -> str:
        """The words in alphabetical order with commas."""
        return ", ".join(self.terms_of(terms))

    def joined(self, words: Iterable[str]) -> str:
        """Words in a row: `a`, `a and b`, `a, b and c`; each once."""
        return self._row(words, "join.and", "join.and_before")

    def either(self, words: Iterable[str]) -> str:
        """Words to choose from: `a`, `a or b`; each once."""
        return self._row(words, "join.or", "join.or_before")

    def _row(self, words: Iterable[str], link: str, euphonic: str) -> str:
        """The sentence `euphonic` is a pattern, a colon and the link in front of a last word that fits it."""
        row = list(dict.fromkeys(words))
        if len(row) < 2:
            return "".join(row)
        pattern, _, before = self.sentences[euphonic].partition(": ")
        fits = bool(before) and re.match(pattern, row[-1], re.IGNORECASE)
        return f"{', '.join(row[:-1])} {before if fits else self.sentences[link]} {row[-1]}"

    def day(self, when: DateRange | None) -> str:
        """A date as it is known, or that it is not."""
        if when is None:
            return self.sentences["day.unknown"]
        first, to, last = str(when).partition(" to ")
        return self.say("day.between", first=first, last=last) if to else first

    def months(self, least: int, most: int) -> str:
        """A span of time in months."""
        if least != most:
            return self.say("time.months_between", least=least, most=most)
        if most == 0:
            return self.say("time.month_least")
        return self.say("time.month" if least == 1 else "time.months", months=least)

    def region(self, region: str) -> str:
        """A region within a sentence: `malar region`."""
        return self.inside(self.regions.get(region) or region.replace("_", " "))

    def site(self, site: BodySite | None) -> str:
        """A site with its sides, such as `malar region (both sides)`."""
        if site is None:
            return self.sentences["site.not_stated"]
        name = self.region(site.region)
        if site.sides >= LATERAL:
            return self.say("site.both", region=name)
        if not site.sides:
            return name
        return self.say(
            "site.sided", region=name, sides=self.joined(self.term(side.value) for side in sorted(site.sides))
        )

    def finding(self, kind: str, site: BodySite | None) -> str:
        """A finding and its site, such as `calcification, malar region (left)`."""
        return self.say("finding.at", kind=self.term(kind), site=self.site(site))

    def material(self, material: str) -> str:
        """A material's name."""
        return self.materials.get(material) or material.replace("_", " ")

    def test(self, test: str) -> str:
        """A laboratory test within a sentence, calculated ones included."""
        spoken = f"test_{test}"
        return self.terms.get(spoken) or self.inside(self.labs.get(test) or test.replace("_", " "))

    def withheld(self, items: Iterable[Withheld]) -> list[str]:
        """The classes of data that could not be seen, with why: `conditions, medicines (could not be fetched)`."""
        why: dict[str, list[str]] = {}
        for item in items:
            why.setdefault(self.term(f"data_{item.data}"), []).append(self.term(f"unseen_{item.because}"))
        alike: dict[str, list[str]] = {}
        for data, reasons in why.items():
            alike.setdefault("; ".join(reasons), []).append(data)
        return [self.say("withheld.classes", data=", ".join(data), why=reasons) for reasons, data in alike.items()]

    def result(self, result: str | None) -> str:
        """A result that is a word, such as `positive`; any other as it was written."""
        return self.terms.get(result or "", result or "")

    def injection(self, injection: FillerInjection) -> str:
        """One injection in a few words: product, date, sites."""
        sites = ", ".join(self.site(site) for site in injection.sites) or self.site(None)
        product = injection.product or self.material(injection.material)
        return self.say("injection.told", product=product, day=self.day(injection.performed), sites=sites)

    def study(self, exam: ImagingExam) -> str:
        """A study as the record calls it, else by its modalities."""
        return exam.description or "/".join(sorted(exam.modalities)) or self.sentences["study.imaging"]

    def modality(self, code: str) -> str:
        """The usual name of a DICOM modality, such as `MRI` for MR; a rare one as its code."""
        return self.terms.get(f"study_{code}", code)

    def modalities(self, codes: frozenset[str]) -> str:
        """The usual name of a study, such as `CT` or `PET-CT`."""
        if {"PT", "CT"} <= codes:
            return self.terms["study_PT_CT"]
        named = [self.terms[f"study_{code}"] for code in sorted(codes) if f"study_{code}" in self.terms]
        return self.joined(named) or self.sentences["study.imaging"]

    def clean(self, text: str) -> str:
        """Text of the record on one line, without the sign that a reader could take for a measured chance."""
        return " ".join(text.replace("%", f" {self.sentences['percent']}").split())

    def inside(self, name: str) -> str:
        """A name within a sentence: its first letter small, unless a capital follows, as in `PTH` or `ePTFE`.

        >>> Words.inside(None, "Malar region"), Words.inside(None, "CREST syndrome")
        ('malar region', 'CREST syndrome')
        """
        second = name[1:2]
        return name if second.isupper() or second.isdigit() or second == "-" else name[:1].lower() + name[1:]


NO_WORDS = Words(
    code="",
    name="",
    status="",
    unchecked="",
    sentences={},
    terms={},
    regions={},
    materials={},
    labs={},
    kinds={},
    checked={},
    alerts={},
    causes={},
)
"""Of a knowledge base that is still being read."""
