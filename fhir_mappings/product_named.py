"""This file finds which filler a procedure's resources name: used codes, devices, words, billing codes, in that order.

A code says the act, seldom the material; a trade name decides. The way it was recognised is kept with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final

from correlation.timeline import ResourceRef
from correlation.words import Words
from fhir_mappings.codes import ProcedureCode, procedure_code, words_of
from fhir_mappings.elements import codings, concept_text, concept_words, notes, objects, plain, string
from fhir_mappings.record import Found, Record, Source
from fhir_mappings.text_products import UNKNOWN, ProductMention, products_in_text

_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|\n+")


class Rank(IntEnum):
    """How directly a resource says what was used; the lowest number wins."""

    USED_CODE = 0
    DEVICE = 1
    DEVICE_USE = 2
    CODE_TEXT = 3
    NOTE = 4
    BILLING_CODE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One product or material as a resource names it. `brand` is false for a material's name alone."""

    material: str
    product: str
    recognised_by: str
    rank: Rank
    brand: bool
    patient_reported: bool = False
    volume_ml: Decimal | None = None
    dilution: Decimal | None = None
    words: str = ""  # the whole text it was read from
    also_from: tuple[ResourceRef, ...] = ()


def named_in_text(text: str, *, how: str, rank: Rank, record: Record) -> list[Named]:
    """The products in one text. `how` begins the account of how each was recognised, such as `usedCode text`."""
    found = products_in_text(text, record.knowledge)
    return [_named(mention, text=text, how=how, rank=rank, words=record.words) for mention in found]


def _named(mention: ProductMention, *, text: str, how: str, rank: Rank, words: Words) -> Named:
    told = words.say("read.found" if mention.exact else "read.spelt", how=how, text=mention.words, name=mention.name)
    return Named(
        material=mention.material,
        product=mention.name,
        recognised_by=told,
        rank=rank,
        brand=mention.brand,
        volume_ml=mention.volume_ml,
        dilution=mention.dilution,
        words=text,
    )


def this_time(text: str) -> str:
    """The sentences of a note that are about this procedure: not another time, another person or something not done."""
    others = [words_of("procedures", "words", name) for name in ("other_time", "another_person")]
    sentences = ((sentence, plain(sentence)) for sentence in _SENTENCE.split(text))
    return " ".join(sentence for sentence, words in sentences if not any(other.search(words) for other in others))


def named_by_procedure(source: Source, codes: Iterable[ProcedureCode], record: Record) -> list[Named]:
    """Every product the Procedure names by itself or by a device it refers to."""
    resource = source.resource
    found: list[Named] = []
    for concept in objects(resource.get("usedCode")):
        for text in concept_words(concept):
            found += named_in_text(text, how=record.words.say("read.used_code"), rank=Rank.USED_CODE, record=record)
    for device in used_devices(source, record):
        found += named_by_device(device, rank=Rank.DEVICE, record=record)
    for text in concept_words(resource.get("code")):
        found += named_in_text(text, how=record.words.say("read.code_text"), rank=Rank.CODE_TEXT, record=record)
    for text in notes(resource):
        found += named_in_text(this_time(text), how=record.words.say("read.note"), rank=Rank.NOTE, record=record)
    used = (procedure_code(one) for concept in objects(resource.get("usedCode")) for one in codings(concept))
    found += [
        Named(
            material=code.material,
            product=code.product or "",
            recognised_by=code.label,
            rank=Rank.BILLING_CODE,
            brand=True,
        )
        for code in (*codes, *used)
        if code is not None and code.material is not None
    ]
    return found


def used_devices(source: Source, record: Record) -> list[Found]:
    """The Devices, Medications or Substances of `focalDevice` and `usedReference`."""
    manipulated = [one.get("manipulated") for one in objects(source.resource.get("focalDevice"))]
    used = record.follow_all(source.resource.get("usedReference"), source)
    return [found for one in manipulated for found in record.follow_all(one, source)] + used


def named_by_device(device: Found, *, rank: Rank, record: Record) -> list[Named]:
    """The product a Device, Medication or Substance names; its kind ("Dermal filler") only where no name tells more."""
    resource, kind = device.resource, device.ref.type or "Device"
    found: list[Named] = []
    for name, part, reported in _device_names(resource):
        how = record.words.say(f"read.device_{part}", kind=kind)
        for named in named_in_text(name, how=how, rank=rank, record=record):
            found.append(_from(named, device=device, reported=reported))
    known = [named for named in found if named.material != UNKNOWN]
    return known or found[:1]


def _device_names(resource: dict[str, Any]) -> Iterable[tuple[str, str, bool]]:
    for one in objects(resource.get("deviceName")):
        yield string(one.get("name")), "name", string(one.get("type")) == "patient-reported-name"
    yield string(resource.get("modelNumber")), "model", False
    for one in objects(resource.get("udiCarrier")):
        yield string(one.get("carrierHRF")), "udi", False
    for element in ("type", "code"):
        yield concept_text(resource.get(element)), element, False
    for text in notes(resource):
        yield this_time(text), "note", False


def _from(named: Named, *, device: Found, reported: bool) -> Named:
    return Named(
        material=named.material,
        product=named.product,
        recognised_by=named.recognised_by,
        rank=named.rank,
        brand=named.brand,
        patient_reported=reported,
        volume_ml=named.volume_ml,
        dilution=named.dilution,
        words=named.words,
        also_from=(device.ref,),
    )


def is_filler_device(device: Found, named: Iterable[Named]) -> bool:
    """Whether a Device by itself is a filler: by trade name, or by its kind in words ("Dermal filler")."""
    if any(one.brand for one in named):
        return True
    names = (name for name, how, _ in _device_names(device.resource) if how in ("name", "type", "code"))
    return any(speaks_of_filler(name) for name in names)


def speaks_of_filler(text: str) -> bool:
    """Whether words speak of a filler, thread or fat graft, and not of a dental or bone filling."""
    words = words_of("procedures", "words", "other_filler").sub(" ", plain(text))
    return bool(words_of("procedures", "words", "filler").search(words))


def by_material(named: Iterable[Named]) -> list[Named]:
    """The best account of each material, the most direct first. "Filler" alone counts only where nothing tells more."""
    best: dict[str, Named] = {}
    for one in sorted(named, key=lambda each: each.rank):
        known = best.get(one.material)
        best[one.material] = one if known is None else _together(known, one)
    materials = [one for one in best.values() if one.material != UNKNOWN]
    return materials or list(best.values())


def _together(best: Named, other: Named) -> Named:
    return Named(
        material=best.material,
        product=best.product if best.brand or not other.brand else other.product,
        recognised_by=best.recognised_by,
        rank=best.rank,
        brand=best.brand or other.brand,
        patient_reported=best.patient_reported,
        volume_ml=best.volume_ml if best.volume_ml is not None else other.volume_ml,
        dilution=best.dilution if best.dilution is not None else other.dilution,
        words=best.words,
        also_from=tuple(dict.fromkeys((*best.also_from, *other.also_from))),
    )
