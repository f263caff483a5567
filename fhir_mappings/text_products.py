"""This file finds filler products and materials in prose: brand names, generic names, misspellings within bounds.

A look-alike such as "Neauvia Stimulate" is a name of its own in `correlation/knowledge/materials` and, being longer,
wins over "Neauvia". "Filler" alone is the material `unknown`. Botulinum toxin is no filler.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

from correlation.catalogue import Knowledge
from fhir_mappings.folding import composed, fold
from fhir_mappings.phrases import Element, Match, PhraseTable, Words, elements_of, phrase_table, words_of
from fhir_mappings.spelling import Speller, speller_of
from fhir_mappings.text_amounts import amount_after, amount_before, diluted_with, dilution_near

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMention:
    """One product or material named in a text.

    `name` is the name as the knowledge base has it, `words` as the text has it; `exact` is false for a misspelling.
    `brand` says whether it is a product's name rather than a material's. `volume_ml` is what stands beside it;
    `dilution` the parts of diluent per part of product.
    """

    material: str
    name: str
    words: str
    exact: bool
    brand: bool
    volume_ml: Decimal | None
    dilution: Decimal | None


@dataclass(frozen=True, slots=True)
class _Name:
    material: str
    name: str
    brand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """All names of a knowledge base: as written, and with the words a misspelling may stand for."""

    table: PhraseTable[_Name]
    speller: Speller


def products_in_text(text: str, knowledge: Knowledge) -> tuple[ProductMention, ...]:
    """Read the fillers named in a text, in its order. A name behind a negation ("denies filler") is left out."""
    text = composed(text)
    names = _names(knowledge)
    clean = _plain(text)
    words = words_of(clean)
    spelled = tuple(names.speller.corrected(word) for word in words.words)
    found = names.table.find(spelled).get("name", [])
    counted = [match for match in found if _counts(match, words=words, text=text)]
    kept = _most_telling(counted, words)
    return tuple(_mention(match, others=kept, words=words, spelled=spelled, text=text) for match in kept)


def names_another_injectable(text: str) -> bool:
    """Say whether the text names something injected that is no filler, such as botulinum toxin or hyaluronidase."""
    return bool(_other_injectables().find(words_of(composed(text)).words))


def _mention(
    match: Match[_Name], *, others: Sequence[Match[_Name]], words: Words, spelled: Sequence[str], text: str
) -> ProductMention:
    start, end = words.starts[match.start], words.ends[match.end - 1]
    end += 1 if "(" in text[start:end] and text[end : end + 1] == ")" else 0
    position = others.index(match)
    next_start = words.starts[others[position + 1].start] if position + 1 < len(others) else len(text)
    previous_end = words.ends[others[position - 1].end - 1] if position else 0
    folded = fold(text)
    volume = amount_after(folded[end:next_start])
    if volume is None:
        volume = amount_before(folded[previous_end:start])
    return ProductMention(
        material=match.payload.material,
        name=match.payload.name,
        words=text[start:end],
        exact=all(words.words[index] == spelled[index] for index in range(match.start, match.end)),
        brand=match.payload.brand,
        volume_ml=volume,
        dilution=_dilution(folded[previous_end:next_start], volume),
    )


def _dilution(folded: str, volume: Decimal | None) -> Decimal | None:
    """Read the dilution as a ratio, else from the volumes of product and diluent."""
    ratio = dilution_near(folded)
    return diluted_with(folded, product=volume) if ratio is None and volume is not None else ratio


def _counts(match: Match[_Name], *, words: Words, text: str) -> bool:
    """Leave out negated names, ordinary words in small letters, and weak words such as "vitamins" by themselves."""
    data = _data()
    reach = words.words[max(0, match.start - int(data["negation_reach"])) : match.start]
    for index in range(len(reach) - 1, -1, -1):
        if reach[index] in ".;:,":
            break
        if reach[index + 1 : index + 2] and reach[index + 1] in data["not_negated"]:
            continue
        if reach[index] in data["negations"] or " ".join(reach[index : index + 2]) in data["negations"]:
            return False
    written = text[words.starts[match.start] : words.ends[match.end - 1]]
    return not (fold(match.payload.name) in data["ordinary_names"] and written[:1].islower())


def _most_telling(matches: Sequence[Match[_Name]], words: Words) -> list[Match[_Name]]:
    """Drop what only describes another name: "filler" beside a brand, the substance in brackets behind it."""
    data = _data()
    weak = {fold(name) for name in data["weak_generic"]}
    known = [match for match in matches if match.payload.material != UNKNOWN]
    if not known:
        plain = [match for match in matches if fold(match.payload.name) not in weak]
        return plain[:1] or list(matches[:1])
    brands = [match for match in known if match.payload.brand]
    kept: list[Match[_Name]] = []
    for match in known:
        if not match.payload.brand and any(_describes(match, brand, words) for brand in brands):
            continue
        if not match.payload.brand and match.payload.material in {other.payload.material for other in (*brands, *kept)}:
            continue
        if any(match.payload == other.payload for other in kept):
            continue
        kept.append(match)
    return kept


def _describes(generic: Match[_Name], brand: Match[_Name], words: Words) -> bool:
    """Say whether a material's name stands in brackets right behind a brand: "HArmonyCa (HA with CaHA)"."""
    if generic.start < brand.end:
        return False
    between = words.words[brand.end : generic.start]
    return bool(between) and between[0] == "(" and ")" not in between


def _plain(text: str) -> str:
    """Blank trade marks; write "(+)" as " + "."""
    for mark in ("(R)", "(r)", "(TM)", "(tm)", "(C)"):
        text = text.replace(mark, " " * len(mark))
    return text.replace("(+)", " + ")


def _names(knowledge: Knowledge) -> _Names:
    known = _NAMES.get(knowledge.digest)
    if known is None:
        if len(_NAMES) > 3:
            _NAMES.clear()
        known = _NAMES[knowledge.digest] = _Names(table=phrase_table(_rows(knowledge)), speller=_speller(knowledge))
    return known


def _rows(knowledge: Knowledge) -> Iterable[tuple[tuple[Element, ...], str, _Name]]:
    for material in knowledge.materials.values():
        for brand, names in ((True, material.product_names), (False, material.generic_names)):
            for name in names:
                elements = tuple(Element(whole=_forms(word)) for word in words_of(_plain(composed(name))).words)
                yield elements, "name", _Name(material.id, name, brand)


def _forms(word: str) -> frozenset[str]:
    """Return a word with its plural, so that "fat grafts" is found as "fat graft"."""
    return frozenset({word, word + "s"}) if len(word) > 3 and word.isalpha() else frozenset({word})


def _speller(knowledge: Knowledge) -> Speller:
    """Collect the words of all names with the materials they stand for; only they can be misspelled."""
    materials: dict[str, set[str]] = {}
    for material in knowledge.materials.values():
        for name in (*material.product_names, *material.generic_names):
            for word in words_of(_plain(composed(name))).words:
                materials.setdefault(word, set()).add(material.id)
    ordinary = frozenset(fold(word) for word in _data()["ordinary_words"])
    return speller_of({word: frozenset(ids) for word, ids in materials.items()}, ordinary=ordinary)


@lru_cache(maxsize=1)
def _data() -> Mapping[str, Any]:
    content = (files("fhir_mappings.report_text") / "products.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


@lru_cache(maxsize=1)
def _other_injectables() -> PhraseTable[str]:
    return phrase_table((elements_of(phrase), "other", phrase) for phrase in _data()["not_fillers"])


_NAMES: dict[str, _Names] = {}
