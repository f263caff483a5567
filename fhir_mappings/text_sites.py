"""This file finds regions of the body in prose, with the sides that were stated.

"left malar and both temporal regions" is the left malar region and the temporal region on both sides. A side is
carried along a list; one that stands behind a list is the whole list's. A plural alone states no side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from correlation.catalogue import Knowledge, Region
from correlation.timeline import BodySite, Side
from fhir_mappings.folding import composed
from fhir_mappings.language_rules import Language, Row, languages, shared
from fhir_mappings.phrases import Element, Match, PhraseTable, Words, elements_of, phrase_table, words_of
from fhir_mappings.side_binding import SIDES, SiteMention, SiteReading, and_words, bind
from fhir_mappings.spelling import Speller, speller_of

_NO_REGION = ""
_MOST_TABLES = 12
_SHORTEST = 60
_MOST_READINGS = 2048
_SPELLERS: dict[str, Speller] = {}
_READ: dict[tuple[str, str], tuple[BodySite, ...]] = {}


def sites_in_text(text: str, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """Read the regions of a short text such as a body site or one line of a procedure, each once, in its order.

    Body sites are the same few words in every record, so the readings of the shortest texts are kept.
    """
    if len(text) > _SHORTEST:
        return _read_sites(text, knowledge)
    key = (knowledge.digest, text)
    known = _READ.get(key)
    if known is None:
        known = _read_sites(text, knowledge)
        if len(_READ) >= _MOST_READINGS:
            _READ.clear()
        _READ[key] = known
    return known


def _read_sites(text: str, knowledge: Knowledge) -> tuple[BodySite, ...]:
    text = composed(text)
    words = words_of(_without_marks(text))
    reading = site_mentions(words, knowledge)
    floating = frozenset(side for mention in reading.sides if not mention.bound for side in mention.sides)
    mentions = [
        mention if mention.sides else replace(mention, sides=floating)
        for mention in without_wider(words, reading.sites, knowledge)
    ]
    strong = [mention for mention in mentions if mention.region not in shared().weak]
    return _as_sites(strong or mentions, words=words, text=text)


def misspelt_sites(text: str, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """Read the regions of one line of a procedure in which none is spelled right: "radiesse zigomatic and nasolabal".

    Only for a text that is known to speak of a filler: among ordinary words a slip is too easily seen.
    """
    speller = _SPELLERS.get(knowledge.digest)
    if speller is None:
        regions = (region for region in knowledge.regions.values() if region.filler_site)
        names = (name for region in regions for name in (*region.synonyms_en, *region.synonyms_es))
        vocabulary = {word: frozenset({"region"}) for name in names for word in words_of(name).words}
        _SPELLERS.clear()
        speller = _SPELLERS[knowledge.digest] = speller_of(vocabulary, ordinary=frozenset())
    words = words_of(composed(text))
    spelled = " ".join(speller.corrected(word) for word in words.words)
    return _read_sites(spelled, knowledge)


def sides_in_text(text: str) -> frozenset[Side]:
    """Read the sides of a text that may name no region, such as the qualifier "Bilateral"."""
    found = _side_table().find(words_of(_without_marks(composed(text))).words)
    return frozenset(
        side
        for match in found.get("side", ())
        if not match.payload.endswith("_letter")
        for side in SIDES[match.payload]
    )


def site_mentions(words: Words, knowledge: Knowledge) -> SiteReading:
    """Find regions and sides in a row of words."""
    return bound_sites(words, site_table(knowledge).find(words.words))


def bound_sites(
    words: Words, found: Mapping[str, Sequence[Match[str]]], *, masked: Sequence[tuple[int, int]] = ()
) -> SiteReading:
    """Bind sides to regions, both as a table found them; those in a masked span ("separate from bone") are left."""
    regions = [
        match
        for match in found.get("region", ())
        if match.payload != _NO_REGION and not any(start <= match.start < end for start, end in masked)
    ]
    return bind(words, regions, list(found.get("side", ())))


def without_wider(words: Words, mentions: Iterable[SiteMention], knowledge: Knowledge) -> tuple[SiteMention, ...]:
    """Leave out a wider region where a narrower one inside it is named too: "face, from the nasolabial region on".

    "Face and jaw" names two places and keeps both. The sides of the wider one pass on to a narrower one without any.
    """
    mentions = tuple(mentions)
    kept: list[SiteMention] = []
    passed: dict[str, frozenset[Side]] = {}
    for mention in mentions:
        narrower = [other for other in mentions if mention.region in wider_than(other.region, knowledge)]
        if narrower and not any(_joined(words, mention, other) for other in mentions if other is not mention):
            for other in narrower:
                passed[other.region] = passed.get(other.region, frozenset()) | mention.sides
        else:
            kept.append(mention)
    return tuple(
        mention if mention.sides else replace(mention, sides=passed.get(mention.region, frozenset()))
        for mention in kept
    )


def wider_than(region: str, knowledge: Knowledge) -> frozenset[str]:
    """Name the regions in which this one lies."""
    known = knowledge.regions.get(region)
    return frozenset(known.broader if known else ()) | frozenset(shared().part_of.get(region, ()))


def _joined(words: Words, one: SiteMention, other: SiteMention) -> bool:
    first, second = sorted((one, other), key=lambda mention: mention.start)
    between = words.words[first.end : second.start]
    return bool(between) and all(word in and_words() for word in between)


def _as_sites(mentions: Iterable[SiteMention], *, words: Words, text: str) -> tuple[BodySite, ...]:
    sites: dict[str, BodySite] = {}
    for mention in mentions:
        stated = text[words.starts[mention.start] : words.ends[mention.end - 1]]
        known = sites.get(mention.region)
        if known is None:
            sites[mention.region] = BodySite(region=mention.region, sides=mention.sides, stated_as=stated)
        else:
            again = known.stated_as if stated in known.stated_as else f"{known.stated_as}, {stated}"
            sites[mention.region] = replace(known, sides=known.sides | mention.sides, stated_as=again)
    return tuple(sites.values())


def _without_marks(text: str) -> str:
    """Blank "(R)", "(TM)" and "(C)", which are trade marks and no sides."""
    for mark in ("(R)", "(r)", "(TM)", "(tm)", "(C)"):
        text = text.replace(mark, " " * len(mark))
    return text


def site_table(knowledge: Knowledge, language: Language | None = None) -> PhraseTable[str]:
    """Return the table of regions and sides of this knowledge base, with a language's phrases if asked; built once."""
    key = (knowledge.digest, language.code if language else "")
    table = _TABLES.get(key)
    if table is None:
        if len(_TABLES) >= _MOST_TABLES:
            _TABLES.clear()
        rows = (*_region_rows(knowledge), *(language.rows if language else ()))
        table = _TABLES[key] = phrase_table(rows)
    return table


def _region_rows(knowledge: Knowledge) -> Iterable[Row]:
    """Exact names come before forms made by rule, so that an exact one wins over a made one of the same length."""
    yield from _side_rows()
    for language in languages().values():
        for phrase in language.data["not_a_region"]["words"]:
            yield elements_of(phrase), "region", _NO_REGION
    for region in knowledge.regions.values():
        for name in (*region.synonyms_en, *region.synonyms_es):
            yield _plain_elements(name), "region", region.id
    for language in languages().values():
        for region_id, names in language.data["region_synonyms"].items():
            if region_id in knowledge.regions:
                for name in names:
                    yield elements_of(name), "region", region_id
    for region in knowledge.regions.values():
        yield from _formed_rows(region)


def _formed_rows(region: Region) -> Iterable[Row]:
    for code, names in (("en", region.synonyms_en), ("es", region.synonyms_es)):
        rules = languages()[code].data["word_forms"]
        forms = {tuple(_forms(word, rules) for word in words_of(name).words) for name in names}
        for words in sorted(forms, key=lambda words: [sorted(word) for word in words]):
            yield tuple(Element(whole=word) for word in words), "region", region.id


def _plain_elements(name: str) -> tuple[Element, ...]:
    return tuple(Element(whole=frozenset({word})) for word in words_of(name).words)


def _forms(word: str, rules: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """Return the word with its other forms: plural, and in Spanish gender."""
    for rule in rules:
        ending, forms, longer = str(rule["when"]), rule["forms"], rule.get("longer_than", 2)
        if word.endswith(ending) and isinstance(longer, int) and len(word) > longer and isinstance(forms, list):
            stem = word[: len(word) - len(ending)]
            return frozenset({word, *(stem + str(form) for form in forms)})
    return frozenset({word})


_TABLES: dict[tuple[str, str], PhraseTable[str]] = {}
_SIDE_TABLE: list[PhraseTable[str]] = []


def _side_table() -> PhraseTable[str]:
    if not _SIDE_TABLE:
        _SIDE_TABLE.append(phrase_table(_side_rows()))
    return _SIDE_TABLE[0]


def _side_rows() -> Iterable[Row]:
    for language in languages().values():
        for name in SIDES:
            for phrase in language.data["sides"][name]:
                yield elements_of(phrase), "side", name
