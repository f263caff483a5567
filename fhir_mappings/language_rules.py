"""This file reads the rules of each language (`report_text/en.toml`, …) and those that all share (`shared.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fhir_mappings.folding import fold
from fhir_mappings.phrases import Element, PhraseTable, elements_of, phrase_table

_NOT_LANGUAGES = ("shared.toml", "products.toml")
_ATTRIBUTES = ("tissue", "morphology", "density", "bone", "change", "count", "signs")
_UNITS = ("hounsfield", "millimetre", "centimetre", "range_words", "value_words")
_SINGLE_LISTS = {
    "others": "other",
    "distractors": "distractor",
    "outside": "outside",
    "sign_heads": "sign_head",
    "arteries": "arteries",
    "respectively": "respectively",
    "alternatives": "alternative",
}


NOTHING = ""  # payload of a phrase that only keeps its words from being read as something else
Row = tuple[tuple[Element, ...], str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The ways a language writes measures, as patterns over folded text."""

    hounsfield_after: re.Pattern[str]  # "350-500 HU", "mean 300 Hounsfield units"
    hounsfield_before: re.Pattern[str]  # "HU of 300"
    length: re.Pattern[str]
    not_a_size_before: re.Pattern[str]
    not_a_size_after: re.Pattern[str]
    earlier: re.Pattern[str]  # what stands before a measure of an earlier study
    centimetre: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """All rules of one language. `phrases` finds links, scopes, heads and attributes, each in its family."""

    code: str
    function_words: frozenset[str]
    definite: frozenset[str]
    abbreviations: frozenset[str]
    headings: Mapping[str, str]  # folded heading -> silent, findings or impression
    phrases: PhraseTable[str]
    rows: tuple[Row, ...]  # the same phrases, to be joined with those of a knowledge base in one table
    numbers: Numbers
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The rules that hold in every language."""

    tissue_of: Mapping[str, str]
    artery_of: Mapping[str, str]
    part_of: Mapping[str, tuple[str, ...]]
    weak: frozenset[str]
    midline: frozenset[str]
    distractor_regions: frozenset[str]
    atheroma_regions: frozenset[str]
    outside_regions: frozenset[str]
    order: Mapping[str, tuple[str, ...]]
    modalities: Mapping[str, frozenset[str]]
    named: frozenset[str]


@lru_cache(maxsize=1)
def languages() -> Mapping[str, Language]:
    """Every language that has a file here, by its code."""
    folder = files("fhir_mappings.report_text")
    written = [
        tomllib.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if file.name.endswith(".toml") and file.name not in _NOT_LANGUAGES
    ]
    # Units of measure are read in every language's spelling: an English report may come from a Spanish scanner.
    units = {name: [word for data in written for word in data["numbers"][name]] for name in _UNITS}
    return MappingProxyType({data["language"]: _language(data, units) for data in written})


@lru_cache(maxsize=1)
def shared() -> Shared:
    """The rules that hold in every language."""
    data = tomllib.loads((files("fhir_mappings.report_text") / "shared.toml").read_text(encoding="utf-8"))
    roles = data["roles"]
    return Shared(
        tissue_of=data["tissue_of"],
        artery_of=data["artery_of"],
        part_of={region: tuple(wider) for region, wider in data["part_of"].items()},
        weak=frozenset(roles["weak"]),
        midline=frozenset(roles["midline"]),
        distractor_regions=frozenset(roles["distractor"]),
        atheroma_regions=frozenset(roles["atheroma"]),
        outside_regions=frozenset(roles["outside"]),
        order={name: tuple(values) for name, values in data["order"].items()},
        modalities={name: frozenset(codes) for name, codes in data["modalities"].items()},
        named=frozenset(roles["named"]),
    )


def _language(data: Mapping[str, Any], units: Mapping[str, list[str]]) -> Language:
    rows = tuple(_phrases(data))
    return Language(
        code=data["language"],
        function_words=frozenset(data["function_words"]),
        definite=frozenset(data["links"]["definite"]),
        abbreviations=frozenset(data["abbreviations"]["words"]),
        headings=_headings(data["sections"]),
        phrases=phrase_table(rows),
        rows=rows,
        numbers=_numbers({**data["numbers"], **units}),
        data=MappingProxyType(dict(data)),
    )


def _phrases(data: Mapping[str, Any]) -> Iterable[Row]:
    """All phrases of a language with their family; the payload is the name of the list they stand in."""
    for name, phrases in data["links"].items():
        family = name if name in ("definite", "or", "terminator") else "link"
        yield from _rows(phrases, family=family, payload=name)
    for name, phrases in data["scopes"].items():
        family = "explanation" if name == "explanation_before" else "scope"
        yield from _rows(phrases, family=family, payload=name)
    for family, phrases in data["not_an_attribute"].items():
        yield from _rows(phrases, family=family, payload=NOTHING)
    for name, forms in data["heads"].items():
        for form in ("kind", "noun"):
            yield from _rows(forms.get(form, ()), family="head", payload=f"{form}:{name}")
    for family in _ATTRIBUTES:
        for name, phrases in data[family].items():
            # Morphology words may lie inside one another ("mass", "nodular mass"); each value is its own family.
            own = f"{family}:{name}" if family in ("morphology", "signs", "tissue", "density", "change") else family
            yield from _rows(phrases, family=own, payload=name)
    yield from _rows(data["narration"]["words"], family="narration", payload="narration")
    for table, family in _SINGLE_LISTS.items():
        yield from _rows(data[table]["words"], family=family, payload=family)
    for region, phrases in data["distractor_places"].items():
        yield from _rows(phrases, family="distractor_place", payload=region)
    for name in ("apart", "beside"):
        yield from _rows(data["landmarks"][name], family="landmark", payload=name)
    yield from _rows(data["normal"]["words"], family="normal", payload="normal")
    yield from _rows(data["normal"]["tissues"], family="normal_tissue", payload="tissue")
    for code, phrases in data["modalities"].items():
        yield from _rows(phrases, family="modality", payload=code)


def _rows(phrases: Iterable[str], *, family: str, payload: str) -> Iterable[Row]:
    return ((elements_of(phrase), family, payload) for phrase in phrases)


def _headings(sections: Mapping[str, list[str]]) -> Mapping[str, str]:
    """Every way to write each heading: "indication" and "indications" of "indication|indications"."""
    headings: dict[str, str] = {}
    for section, phrases in sections.items():
        for phrase in phrases:
            written = [""]
            for element in phrase.split():
                written = [f"{start} {choice}".strip() for start in written for choice in element.split("|")]
            headings.update(dict.fromkeys(written, section))
    return MappingProxyType(headings)


def _numbers(data: Mapping[str, list[str]]) -> Numbers:
    number = r"\d+(?:[.,]\d+)?"
    signed = rf"(?<![\d.,])-?{number}"
    unit = _choice(data["hounsfield"])
    between = _choice(data["range_words"])
    times = _choice(data["times_words"])
    value = _choice(data["value_words"])
    lengths = _choice([*data["millimetre"], *data["centimetre"]])
    return Numbers(
        hounsfield_after=re.compile(
            rf"(?P<low>{signed})(?:\s*{between}\s*(?P<high>-?{number}))?(?:\s*(?:\+/-|±)\s*{number})?\s*{unit}(?![a-z])"
        ),
        hounsfield_before=re.compile(
            rf"(?<![a-z]){unit}(?![a-z])\s*(?:\(|\)|{value}|\s)*(?P<low>-?{number})(?:\s*{between}\s*(?P<high>-?{number}))?"
            rf"(?!\s*{lengths}(?![a-z]))"
        ),
        length=re.compile(
            rf"(?<![\d.,])(?P<first>{number})(?:\s*(?:{lengths})?\s*(?:{between}|{times})\s*(?P<second>{number}))?"
            rf"(?:\s*(?:{lengths})?\s*{times}\s*(?P<third>{number}))?\s*-?\s*(?P<unit>{lengths})(?![a-z])"
        ),
        not_a_size_before=re.compile(rf"(?<![a-z]){_choice(data['not_a_size_before'])}(?:\s+\w+)?\s*$"),
        not_a_size_after=re.compile(rf"\s*-?\s*(?:{_choice(data['not_a_size_after'])})(?![a-z])"),
        earlier=re.compile(rf"(?<![a-z]){_choice(data['earlier'])}[\s(:,]*(?:of|de|a|at)?\s*$"),
        centimetre=frozenset(data["centimetre"]),
    )


def _choice(words: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(fold(word)) for word in sorted(words, key=len, reverse=True)) + ")"
