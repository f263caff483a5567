"""This file reads Procedures as filler injections: what, when, where, and whether the record lets them count.

A Procedure is a filler procedure by its code, by its words, or by the trade name of what was used. Anything else (an
appendectomy, botulinum toxin, taking a filler away) yields nothing.
FHIR R4 Procedure: https://hl7.org/fhir/R4/procedure.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from correlation.dates import DateRange
from correlation.timeline import BodySite, FillerInjection
from fhir_mappings.body_sites import contradict, merged, region_site, sites_of_list, united
from fhir_mappings.codes import ProcedureCode, procedure_code, words_of
from fhir_mappings.device_use import DeviceUse, device_uses, uses_by_procedure
from fhir_mappings.elements import codings, concept_text, concept_words, notes, objects, plain, string
from fhir_mappings.loose_products import injections_of_devices, injections_of_uses
from fhir_mappings.product_named import Named, Rank, by_material, named_by_procedure, speaks_of_filler, this_time
from fhir_mappings.record import Record, Source
from fhir_mappings.text_dates import date_in_words
from fhir_mappings.text_products import UNKNOWN
from fhir_mappings.text_sites import misspelt_sites, sites_in_text
from fhir_mappings.told_fillers import told_injections

PATIENT_REPORTED: Final = "patient-reported"
RECORDED: Final = "recorded"

# The sentence that says why a procedure of this status is not counted.
IGNORED: Final = {
    "not-done": "read.not_done",
    "entered-in-error": "read.entered_in_error",
    "preparation": "read.preparation",
    "on-hold": "read.on_hold",
}
_DATED: Final = ("performedDateTime", "performedPeriod", "performedInstant", "performedDate", "performed")
_UNCERTAIN: Final = ("stopped", "unknown", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """What a Procedure's code and words say of the act itself."""

    codes: tuple[ProcedureCode, ...]
    is_filler: bool
    is_open: bool  # something was injected, it is not said what
    nothing_put_in: bool


def read_injections(record: Record) -> list[FillerInjection]:
    """Every filler injection of the record, from Procedures, DeviceUseStatements and Devices."""
    procedures = record.of_type("Procedure")
    acts = {source.index: _act(source) for source in procedures}
    possible = [
        source
        for source in procedures
        if (acts[source.index].is_filler or acts[source.index].is_open) and not acts[source.index].nothing_put_in
    ]
    tied, loose = uses_by_procedure(device_uses(record), procedures, fillers=possible, record=record)
    found: list[FillerInjection] = []
    for source in procedures:
        read = partial(_read_procedure, source, acts[source.index], tied.get(source.index, []), record)
        found += record.guarded_list(read, path=source.path)
    found += injections_of_uses(loose, record)
    found += injections_of_devices(found, record)
    return found + told_injections(found, record)


def _act(source: Source) -> _Act:
    code = source.resource.get("code")
    codes = tuple(read for coding in codings(code) if (read := procedure_code(coding)) is not None)
    words = [plain(text) for text in concept_words(code)]
    by_code = any(read.act == "filler" for read in codes)
    injected = any(_says("injected", text) for text in words)
    looked_at = any(_says("looked_at", text) for text in words) and not injected
    not_put_in = any(_says("taken_away", text) or _says("not_happened", text) for text in words)
    return _Act(
        codes=codes,
        is_filler=by_code or any(speaks_of_filler(text) for text in words),
        is_open=bool(codes) or not words or any(_says("open_act", text) for text in words),
        nothing_put_in=not by_code and (looked_at or not_put_in),
    )


def _says(group: str, words: str) -> bool:
    return bool(words_of("procedures", "words", group).search(words))


def _read_procedure(source: Source, act: _Act, uses: Sequence[DeviceUse], record: Record) -> list[FillerInjection]:
    named = named_by_procedure(source, act.codes, record) + [one for use in uses for one in use.named]
    if act.nothing_put_in:
        if act.is_filler or any(one.brand for one in named):
            text = "A filler is named, but nothing was put in here by the words of the code; it was not counted."
            record.inform("not-an-injection", text, f"{source.path}.code")
        return []
    if not act.is_filler and not _makes_it_filler(source, act, named, record):
        return []
    if _only_botulinum(source, act, named):
        return []
    return [_injection(source, act, one, uses, record) for one in _products(source, named, record)]


def _makes_it_filler(source: Source, act: _Act, named: list[Named], record: Record) -> bool:
    """Whether the product makes a Procedure one of fillers whose code does not."""
    title = plain(concept_text(source.resource.get("code")))
    if any(one.brand and one.rank <= Rank.CODE_TEXT for one in named):
        return True
    if any(one.rank == Rank.DEVICE_USE for one in named):  # its device was found to be a filler
        return True
    materials = [one for one in named if one.material != UNKNOWN]
    in_title = [one for one in materials if one.rank == Rank.CODE_TEXT]
    if (
        in_title
        and not _says("elsewhere", title)
        and (any(one.volume_ml for one in in_title) or _at_a_site(source, record))
    ):
        return True  # "CaHA 1.5 mL malar", "metacrilato en glúteos": a material was put in, by the millilitre or there
    if act.is_open and not _says("elsewhere", title):
        return any(one.brand or one.rank == Rank.CODE_TEXT or bool(act.codes) for one in materials)
    if any(one.brand for one in materials):
        text = "The note names a filler, but the procedure is another one; it was not counted. Record it as its own."
        record.inform("product-in-note", text, f"{source.path}.note")
    return False


def _at_a_site(source: Source, record: Record) -> bool:
    """Whether the words of the code name a place where fillers are put."""
    regions = record.knowledge.regions
    sites = sites_in_text(concept_text(source.resource.get("code")), record.knowledge)
    return any(regions[site.region].filler_site for site in sites if site.region in regions)


def _only_botulinum(source: Source, act: _Act, named: list[Named]) -> bool:
    words = [plain(text) for text in concept_words(source.resource.get("code"))]
    words += [plain(text) for concept in objects(source.resource.get("usedCode")) for text in concept_words(concept)]
    toxin = any(_says("botulinum", text) for text in words)
    return toxin and not act.codes and all(one.material == UNKNOWN for one in named)


def _products(source: Source, named: list[Named], record: Record) -> list[Named]:
    products = by_material(named)
    if len({one.rank for one in products}) > 1:
        text = "Different products are named for this procedure: each was read as one of its own. Correct the record."
        record.warn("product-conflict", text, source.path, code="conflict")
    if products:
        return products
    how = ", ".join(read.label for read in _codes(source)) or record.words.say("read.code_text")
    how = record.words.say("read.no_product", how=how)
    return [Named(material=UNKNOWN, product="", recognised_by=how, rank=Rank.CODE_TEXT, brand=False)]


def _codes(source: Source) -> list[ProcedureCode]:
    return [read for coding in codings(source.resource.get("code")) if (read := procedure_code(coding)) is not None]


def _injection(source: Source, act: _Act, product: Named, uses: Sequence[DeviceUse], record: Record) -> FillerInjection:
    own_uses = [use for use in uses if product.material in {one.material for one in use.named}] or list(uses)
    refs = [*product.also_from, *(ref for use in own_uses for ref in (use.source.ref, use.device.ref))]
    reported = product.patient_reported or any(use.by_patient for use in own_uses) or told_by_patient(source, record)
    return FillerInjection(
        source=source.ref,
        performed=_performed(source, own_uses, record),
        material=product.material,
        product=product.product,
        recognised_by=product.recognised_by,
        sites=_sites(source, act, product, own_uses, record),
        volume_ml=product.volume_ml,
        dilution=product.dilution,
        source_certainty=PATIENT_REPORTED if reported else RECORDED,
        ignored_because=_ignored_because(source, record),
        quote=_quote(source, product),
        also_from=tuple(dict.fromkeys(ref for ref in refs if ref != source.ref)),
    )


def _ignored_because(source: Source, record: Record) -> str | None:
    status = string(source.resource.get("status"))
    if status in IGNORED:
        text = "The status of this procedure forbids counting it; it is shown and not counted."
        record.inform("not-counted", text, f"{source.path}.status")
        return record.words.say(IGNORED[status])
    if status in _UNCERTAIN:
        text = "The status leaves open whether the product was put in; it was counted. Send completed or not-done."
        record.warn("uncertain-status", text, f"{source.path}.status", code="incomplete")
    return None


def told_by_patient(source: Source, record: Record) -> bool:
    """Whether the patient is the one who says so: as asserter or by the words."""
    for name in ("asserter", "recorder", "informationSource", "source"):
        for item in objects(source.resource.get(name)):
            if "Patient/" in string(item.get("reference")) or string(item.get("type")) == "Patient":
                return True
            found = record.follow(string(item.get("reference")), source)
            if found is not None and found.ref.type == "Patient":
                return True
    texts = (*concept_words(source.resource.get("code")), *notes(source.resource))
    return any(_says("patient_says", plain(text)) for text in texts)


def _performed(source: Source, uses: Sequence[DeviceUse], record: Record) -> DateRange | None:
    dates = [use.when for use in uses if use.when is not None]
    if dates and not any(name.startswith("performed") for name in source.resource):
        text = "This procedure has no date; that of the device's use was taken. Send performed[x]."
        record.inform("no-date", text, f"{source.path}.performed", code="incomplete")
        return record.checked(dates[0], path=f"{source.path}.performed")
    if not any(name in source.resource for name in _DATED):
        told = _date_told(source)
        if told is not None:
            text = "This procedure has no date; the one in its words was taken. Send performed[x]."
            record.inform("no-date", text, f"{source.path}.performed", code="incomplete")
            return record.checked(told, path=f"{source.path}.performed")
    performed = record.when(source, stem="performed", what="This procedure")
    apart = [when for when in dates if performed is not None and when.before(performed) is not None]
    if performed is None or not apart:
        return performed
    text = "Procedure and device use give different dates: the time between them was taken. Correct one of them."
    record.warn("contradictory-dates", text, f"{source.path}.performed", code="conflict")
    every = [performed, *apart]
    return DateRange(earliest=min(one.earliest for one in every), latest=max(one.latest for one in every))


def _date_told(source: Source) -> DateRange | None:
    """The date that the words of a procedure name, in `performedString`, the code or the notes about this time."""
    resource = source.resource
    texts = (
        string(resource.get("performedString")),
        concept_text(resource.get("code")),
        *map(this_time, notes(resource)),
    )
    return next((when for text in texts if (when := date_in_words(text)) is not None), None)


def _sites(
    source: Source, act: _Act, product: Named, uses: Sequence[DeviceUse], record: Record
) -> tuple[BodySite, ...]:
    knowledge = record.knowledge
    stated = sites_of_list(source.resource.get("bodySite"), knowledge)
    title = concept_text(source.resource.get("code"))
    told = united(
        site for text in (title, *map(this_time, notes(source.resource))) for site in sites_in_text(text, knowledge)
    )
    own_clause = _own_clause(product)
    if own_clause:
        told = sites_in_text(own_clause, knowledge) or told
    if any(contradict(one, other) for one in stated for other in told):
        text = "Body site and words name opposite sides: the side was left open. Correct one of them."
        record.warn("contradictory-sides", text, f"{source.path}.bodySite", code="conflict")
    sites = merged(stated, told, knowledge) if stated else told
    used = united(site for use in uses for site in use.sites)
    if used:
        sites = merged(sites, used, knowledge) if sites else used
    sites = sites or united(
        site for text in (title, *notes(source.resource)) for site in misspelt_sites(text, knowledge)
    )
    if sites:
        return sites
    return next((region_site(code.region, code.label, knowledge) for code in act.codes if code.region), ())


def _own_clause(product: Named) -> str:
    """The part of a text that speaks of this product alone, where the text lists several."""
    clauses = [clause for clause in product.words.replace("\n", ";").split(";") if clause.strip()]
    own = [clause for clause in clauses if product.product.casefold() in clause.casefold()]
    return own[0] if len(clauses) > 1 and len(own) == 1 else ""


def _quote(source: Source, product: Named) -> str:
    resource = source.resource
    used = [concept_text(concept) for concept in objects(resource.get("usedCode"))]
    where = [concept_text(concept) for concept in objects(resource.get("bodySite"))]
    words = (concept_text(resource.get("code")), *used, *where, *notes(resource), product.words)
    kept: list[str] = []
    for text in words:
        if text and not any(text in other for other in kept):
            kept.append(text)
    return "; ".join(kept)
