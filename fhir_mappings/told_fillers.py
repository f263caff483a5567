"""This file reads fillers that are only told: in a problem list, a reason for a visit, a social history.

"Facial fillers with Radiesse in 2022 (cheeks)" among the problems is an exposure on record, less certain than a
procedure. Only what is clearly said to have been put into this patient counts: not what a relative had, what was
offered, declined or planned, or what the patient must not have, and nothing behind a word that is not known to tell of
a filler received. What is left open is named in an issue. A material that a procedure records is not told twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from correlation.catalogue import Knowledge
from correlation.dates import DateRange
from correlation.timeline import FillerInjection
from fhir_mappings.body_sites import sites_of_list, united
from fhir_mappings.codes import words_of
from fhir_mappings.dates import read_date
from fhir_mappings.elements import code_of, codings, concept_text, concept_words, notes, objects, plain, string
from fhir_mappings.product_named import Named, Rank, by_material, named_in_text, speaks_of_filler
from fhir_mappings.record import ENTERED_IN_ERROR, Record, Source
from fhir_mappings.text_dates import date_in_words
from fhir_mappings.text_products import UNKNOWN, products_in_text
from fhir_mappings.text_sites import sites_in_text

_CLAUSE: Final = re.compile(r"(?<=[\w)»\"'][.!?;])\s+|\n+")  # a lone "?" stays with what it doubts
_NOT_SO: Final = ("refuted", ENTERED_IN_ERROR, "differential", "unconfirmed", "provisional")
_HISTORY: Final = frozenset({"social-history", "survey", "procedure", "exam"})
_LEFT_OUT: Final = (ENTERED_IN_ERROR, "cancelled", "registered")
_SITE_VOCABULARY: dict[str, frozenset[str]] = {}


def told_injections(known: Sequence[FillerInjection], record: Record) -> list[FillerInjection]:
    """The fillers that Conditions, Encounters and Observations tell of, beside those of `known`."""
    materials = {one.material for one in known if one.ignored_because is None}
    return [
        told
        for source in record.of_type("Condition", "Encounter", "Observation")
        for told in record.guarded_list(partial(_told, source, materials, record), path=source.path)
    ]


def _told(source: Source, materials: set[str], record: Record) -> list[FillerInjection]:
    found: list[FillerInjection] = []
    for text in _texts(source):
        another = False  # once another person is named, what follows in the same text may be about that person
        for clause in _CLAUSE.split(text):
            another = another or _of_another(clause)
            named = named_in_text(
                clause, how=record.words.say("read.told", kind=source.type), rank=Rank.NOTE, record=record
            )
            kept = [one for one in named if one.brand or _put_in(clause)]
            if kept and (another or not _received(clause, record.knowledge)):
                text = "A filler is named here, not clearly as put into this patient: not counted. Send its Procedure."
                record.inform("told-filler", text, source.path)
                continue
            found += [
                _injection(source, one, clause, record)
                for one in by_material(kept)
                if one.material not in materials and (one.material != UNKNOWN or not materials)
            ]
    if found:
        text = "A filler is told of here, not recorded as a procedure: send its Procedure with date, site and product."
        record.inform("told-filler", text, source.path)
    return found


def _of_another(clause: str) -> bool:
    return bool(words_of("procedures", "words", "another_person").search(plain(clause)))


def _received(clause: str, knowledge: Knowledge) -> bool:
    """Whether a clause tells clearly that this patient had the filler it names.

    What speaks against it may stand anywhere; before the name only words that are known to tell of it, and places.
    """
    if "?" in clause or words_of("procedures", "words", "not_this_patient").search(plain(clause)):
        return False
    first = next((one.words for one in products_in_text(clause, knowledge)), "")
    before = words_of("procedures", "words", "told_before").sub(" ", plain(clause.partition(first)[0]))
    return all(word in _site_vocabulary(knowledge) or word.isdecimal() for word in before.split())


def _site_vocabulary(knowledge: Knowledge) -> frozenset[str]:
    """Every word of the names of places, of this knowledge base; kept, for it is the same in every record."""
    known = _SITE_VOCABULARY.get(knowledge.digest)
    if known is None:
        regions = knowledge.regions.values()
        names = (name for region in regions for name in (*region.synonyms_en, *region.synonyms_es))
        known = frozenset(word for name in names for word in plain(name).split())
        _SITE_VOCABULARY.clear()
        _SITE_VOCABULARY[knowledge.digest] = known
    return known


def _put_in(clause: str) -> bool:
    """Whether a clause that names a material says that it was put in: "silicone injections", "relleno de …"."""
    words = plain(clause)
    return speaks_of_filler(clause) or bool(words_of("procedures", "words", "injected").search(words))


def _texts(source: Source) -> Iterable[str]:
    resource = source.resource
    if source.type == "Condition":
        if code_of(resource.get("verificationStatus")) in _NOT_SO:
            return []
        return [*concept_words(resource.get("code")), *notes(resource)]
    if source.type == "Encounter":
        if string(resource.get("status")) in ("planned", "cancelled", ENTERED_IN_ERROR):
            return []
        return [text for one in objects(resource.get("reasonCode")) for text in concept_words(one)]
    return _told_by_observation(resource)


def _told_by_observation(resource: dict[str, Any]) -> list[str]:
    """The words of an answer or a history; those of imaging and of the laboratory are read elsewhere."""
    categories = {one.code for category in objects(resource.get("category")) for one in codings(category)}
    if string(resource.get("status")) in _LEFT_OUT or (categories and not categories & _HISTORY):
        return []
    value = string(resource.get("valueString")) or concept_text(resource.get("valueCodeableConcept"))
    title = concept_text(resource.get("code"))
    if _of_another(title):
        return []
    about = bool(categories) or words_of("procedures", "words", "history_title").search(plain(title))
    return [text for text in (value, *notes(resource)) if text] if about else []


def _injection(source: Source, product: Named, clause: str, record: Record) -> FillerInjection:
    sites = united(
        (*sites_in_text(clause, record.knowledge), *sites_of_list(source.resource.get("bodySite"), record.knowledge))
    )
    return FillerInjection(
        source=source.ref,
        performed=record.checked(_when(source, clause), path=source.path),
        material=product.material,
        product=product.product,
        recognised_by=product.recognised_by,
        sites=sites,
        volume_ml=product.volume_ml,
        dilution=product.dilution,
        source_certainty="patient-reported",
        quote=clause,
    )


def _when(source: Source, clause: str) -> DateRange | None:
    """The date in the words. The onset of a problem is that of a filler only where the problem is nothing but it."""
    told = date_in_words(clause)
    if told is not None or source.type != "Condition":
        return told
    complication = words_of("procedures", "words", "complication").search(plain(clause))
    return None if complication else read_date(source.resource.get("onsetDateTime"))
