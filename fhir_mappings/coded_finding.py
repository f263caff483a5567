"""This file reads imaging Observations with components as findings: what, where, how it looks, or that it is absent.

FHIR R4 Observation: https://hl7.org/fhir/R4/observation.html. Words and codes: `codes/imaging_findings.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from correlation.dates import DateRange
from correlation.timeline import BodySite, Certainty, FindingKind, ImagingExam, ImagingFinding
from correlation.words import Words
from fhir_mappings.body_sites import side_of, sites_of, with_sides
from fhir_mappings.code_tables import code_table
from fhir_mappings.codes import every_fit, first_fit, pattern, word_groups, words_of
from fhir_mappings.elements import codings, concept_text, concept_words, mapping, notes, objects, plain, string
from fhir_mappings.quantities import in_millimetres, read_quantity
from fhir_mappings.record import Record, Source

_TABLE: Final = "imaging_findings"
_HOUNSFIELD: Final = ("[hnsf'u]", "hu", "uh", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One component: what it is about, its words and codes, and its raw form."""

    about: str
    text: str
    codes: frozenset[str]
    raw: dict[str, Any]


def finding_kind(code: object) -> FindingKind | None:
    """The kind of finding an Observation's code names, or `None`."""
    by_code = code_table(_TABLE)["kind_codes"]
    for coding in codings(code):
        if coding.code in by_code:
            return FindingKind(by_code[coding.code])
    for text in concept_words(code):
        for row in code_table(_TABLE)["kind_words"]:
            if pattern(row["words"]).search(plain(text)):
                return FindingKind(row["kind"])
    return None


def read_coded_finding(
    source: Source, kind: FindingKind, exam: ImagingExam | None, record: Record
) -> tuple[ImagingFinding, ...]:
    """One Observation as a finding; one for each place where it names several."""
    resource = source.resource
    parts = [_part(one) for one in objects(resource.get("component"))]
    seen = record.quiet_when(source, stem="effective") or (exam.started if exam is not None else None)
    sites: tuple[BodySite | None, ...] = _sites(resource, parts, record) or (None,)
    return tuple(_finding(source, kind, exam, seen, site, parts, record.words) for site in sites)


def _finding(
    source: Source,
    kind: FindingKind,
    exam: ImagingExam | None,
    seen: DateRange | None,
    site: BodySite | None,
    parts: list[_Part],
    words: Words,
) -> ImagingFinding:
    resource = source.resource
    code = resource.get("code")
    return ImagingFinding(
        source=source.ref,
        exam=exam.source if exam is not None else None,
        seen=seen,
        kind=kind,
        site=site,
        certainty=certainty_of(resource),
        tissue=_tissue(code, parts),
        morphology=_morphology(code, parts),
        density=_first("density", parts, groups=("density", "words")),
        on_bone=_flag("on_bone", parts),
        attenuation_hu=_attenuation(parts),
        size_mm=_size(parts),
        count=_count(parts),
        change=_first("change", parts, groups=("change", "words")),
        suv_max=_number("suv_max", parts),
        signs=_signs(parts),
        modalities=exam.modalities if exam is not None else frozenset(),
        quote=_quote(resource, parts),
        recognised_by=_recognised_by(code, words),
    )


def _part(component: dict[str, Any]) -> _Part:
    code, value = component.get("code"), component.get("valueCodeableConcept")
    return _Part(
        about=_about(code),
        text=concept_text(value) or string(component.get("valueString")),
        codes=frozenset(coding.code for coding in codings(value)),
        raw=component,
    )


def _about(code: object) -> str:
    by_code = code_table(_TABLE)["components"]["codes"]
    found = next((by_code[coding.code] for coding in codings(code) if coding.code in by_code), None)
    return found or next(
        (name for text in concept_words(code) if (name := first_fit(word_groups(_TABLE, "components", "words"), text))),
        "",
    )


def _of(about: str, parts: Iterable[_Part]) -> list[_Part]:
    return [part for part in parts if part.about == about]


def _first(about: str, parts: Iterable[_Part], *, groups: tuple[str, ...]) -> str | None:
    texts = [part.text for part in _of(about, parts) if part.text]
    return next((name for text in texts if (name := first_fit(word_groups(_TABLE, *groups), text))), None)


def certainty_of(resource: dict[str, Any]) -> Certainty:
    """How surely the Observation states its finding: absent, uncertain, in the past, or stated."""
    presence = code_table(_TABLE)["presence"]
    value = resource.get("valueCodeableConcept")
    codes = {coding.code for coding in codings(value)}
    words = plain(concept_text(value) or string(resource.get("valueString")))
    title = plain(concept_text(resource.get("code")))
    says_no = resource.get("valueBoolean") is False or words_of(_TABLE, "presence", "negated_title").search(title + " ")
    if says_no or codes & set(presence["absent_codes"]) or words_of(_TABLE, "presence", "absent").search(words):
        return Certainty.NEGATED
    if codes & set(presence["uncertain_codes"]) or words_of(_TABLE, "presence", "uncertain").search(f"{words} {title}"):
        return Certainty.POSSIBLE
    if words_of("conditions", "around", "history").search(title):
        return Certainty.HISTORY
    return Certainty.STATED


def _sites(resource: dict[str, Any], parts: list[_Part], record: Record) -> tuple[BodySite, ...]:
    apart = frozenset(side for part in _of("laterality", parts) for side in side_of(_value_concept(part)))
    places = sites_of(resource.get("bodySite"), record.knowledge)
    for part in _of("site", parts):
        places = places or sites_of(_value_concept(part), record.knowledge)
    places = places or sites_of(resource.get("code"), record.knowledge)
    return with_sides(places, apart)


def _value_concept(part: _Part) -> dict[str, Any]:
    return mapping(part.raw.get("valueCodeableConcept")) or {"text": part.text}


def _tissue(code: object, parts: list[_Part]) -> str | None:
    by_code = code_table(_TABLE)["tissue_of_kind_code"]
    implied = next((str(by_code[coding.code]) for coding in codings(code) if coding.code in by_code), None)
    return _first("depth", parts, groups=("tissue", "words")) or implied


def _morphology(code: object, parts: list[_Part]) -> frozenset[str]:
    table = code_table(_TABLE)
    implied = [name for coding in codings(code) for name in table["morphology_of_kind_code"].get(coding.code, ())]
    by_code = table["morphology"]["codes"]
    told = [by_code[one] for part in _of("morphology", parts) for one in part.codes if one in by_code]
    groups = word_groups(_TABLE, "morphology", "words")
    words = [name for part in _of("morphology", parts) for name in every_fit(groups, part.text)]
    return frozenset((*implied, *told, *words))


def _flag(about: str, parts: list[_Part]) -> bool | None:
    for part in _of(about, parts):
        if isinstance(part.raw.get("valueBoolean"), bool):
            return bool(part.raw["valueBoolean"])
        words = plain(part.text)
        if words:
            return not words_of(_TABLE, "presence", "absent").search(words)
    return None


def _number(about: str, parts: list[_Part]) -> Decimal | None:
    for part in _of(about, parts):
        amount = read_quantity(part.raw.get("valueQuantity"))
        if amount is not None and amount.usable:
            return amount.value
    return None


def _attenuation(parts: list[_Part]) -> tuple[Decimal, Decimal] | None:
    for part in _of("attenuation", parts):
        written = part.raw.get("valueRange")
        ends = (
            [written.get("low"), written.get("high")] if isinstance(written, dict) else [part.raw.get("valueQuantity")]
        )
        values = [
            amount.value
            for end in ends
            if (amount := read_quantity(end)) is not None and amount.usable and amount.unit.casefold() in _HOUNSFIELD
        ]
        if values:
            return min(values), max(values)
    return None


def _size(parts: list[_Part]) -> Decimal | None:
    lengths = [
        length
        for part in _of("size", parts)
        for one in (part.raw.get("valueQuantity"), mapping(part.raw.get("valueRange")).get("high"))
        if (length := in_millimetres(one)) is not None
    ]
    return max(lengths, default=None)


def _count(parts: list[_Part]) -> str | None:
    for part in _of("count", parts):
        amount = read_quantity(part.raw.get("valueQuantity")) or read_quantity({"value": part.raw.get("valueInteger")})
        if amount is not None:
            return "single" if amount.value == 1 else "multiple"
        words = plain(part.text)
        if words:
            return "single" if words in ("single", "solitary", "one", "unico", "unica", "1") else "multiple"
    return None


def _signs(parts: list[_Part]) -> frozenset[str]:
    groups = word_groups(_TABLE, "signs", "words")
    told = [part for part in parts if part.about in ("signal", "echo", "signs", "enhancement", "depth")]
    found = {name for part in told for name in every_fit(groups, part.text)}
    if _flag("enhancement", parts):
        found.add("enhancement")
    return frozenset(found)


def _quote(resource: dict[str, Any], parts: list[_Part]) -> str:
    words = [concept_text(resource.get("code")), concept_text(resource.get("bodySite"))]
    words += [concept_text(resource.get("valueCodeableConcept")), string(resource.get("valueString"))]
    words += [f"{concept_text(part.raw.get('code'))}: {text}" for part in parts if (text := _value_words(part))]
    return "; ".join(word for word in (*words, *notes(resource)) if word)


def _value_words(part: _Part) -> str:
    if isinstance(part.raw.get("valueBoolean"), bool):
        return "yes" if part.raw["valueBoolean"] else "no"
    amount = read_quantity(part.raw.get("valueQuantity"))
    return amount.as_written if amount is not None else part.text


def _recognised_by(code: object, words: Words) -> str:
    by_code = code_table(_TABLE)["kind_codes"]
    for coding in codings(code):
        if coding.code in by_code:
            return words.say("read.observation_code", code=coding.code)
    return words.say("read.observation_text", text=concept_text(code))
