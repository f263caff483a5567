"""This file reads fillers that no Procedure speaks of: a use of a device, a Device of the patient, a medicine given.

A filler recorded without its procedure is an exposure all the same; what is not said of it counts as not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from correlation.timeline import FillerInjection
from fhir_mappings.body_sites import sites_of_list
from fhir_mappings.device_use import DeviceUse
from fhir_mappings.elements import concept_text, notes, objects, string
from fhir_mappings.product_named import Named, Rank, by_material, is_filler_device, named_by_device, named_in_text
from fhir_mappings.record import ENTERED_IN_ERROR, Found, Record, Source
from fhir_mappings.text_products import UNKNOWN
from fhir_mappings.text_sites import sites_in_text

# The sentence that says why a use of this status is not counted.
_USE_IGNORED: Final = {"intended": "read.intended", "on-hold": "read.on_hold"}


def injections_of_uses(uses: Iterable[DeviceUse], record: Record) -> list[FillerInjection]:
    """The uses of fillers that belong to no Procedure, each as an injection."""
    return [
        injection
        for use in uses
        for product in _products(use.named)
        for injection in record.guarded_list(partial(_of_use, use, product, record), path=use.source.path)
    ]


def _products(named: Iterable[Named]) -> list[Named]:
    unknown = Named(material=UNKNOWN, product="", recognised_by="Device type", rank=Rank.DEVICE, brand=False)
    return by_material(named) or [unknown]


def _of_use(use: DeviceUse, product: Named, record: Record) -> list[FillerInjection]:
    source = use.source
    status = string(source.resource.get("status"))
    if status in _USE_IGNORED:
        text = "The status of this device use forbids counting it; it is shown and not counted."
        record.inform("not-counted", text, f"{source.path}.status")
    told = [site for text in notes(source.resource) for site in sites_in_text(text, record.knowledge)]
    injection = FillerInjection(
        source=source.ref,
        performed=record.when(source, stem="timing", what="This use of a filler"),
        material=product.material,
        product=product.product,
        recognised_by=product.recognised_by,
        sites=use.sites or tuple(told),
        volume_ml=product.volume_ml,
        dilution=product.dilution,
        source_certainty="patient-reported" if use.by_patient or product.patient_reported else "recorded",
        ignored_because=record.words.say(_USE_IGNORED[status]) if status in _USE_IGNORED else None,
        quote="; ".join(filter(None, (product.words, *notes(source.resource)))),
        also_from=tuple(ref for ref in (use.device.ref,) if ref != source.ref),
    )
    return [injection]


def injections_of_devices(known: Sequence[FillerInjection], record: Record) -> list[FillerInjection]:
    """Fillers recorded as a Device of the patient alone: exposures of unknown date and place.

    A Device that a Procedure or a use refers to is no exposure of its own, nor is one whose material is on record.
    """
    taken = _referred_to(record)
    materials = {injection.material for injection in known}
    return [
        injection
        for source in record.of_type("Device")
        if source.index not in taken
        for injection in record.guarded_list(partial(_alone, source, materials, record), path=source.path)
    ]


def _alone(source: Source, materials: set[str], record: Record) -> list[FillerInjection]:
    if string(source.resource.get("status")) == ENTERED_IN_ERROR or not source.resource.get("patient"):
        return []
    device = Found(source=source, resource=source.resource, ref=source.ref)
    named = named_by_device(device, rank=Rank.DEVICE, record=record)
    if not is_filler_device(device, named):
        return []
    products = [product for product in _products(named) if product.material not in materials]
    if products:
        text = "A filler is on record as a Device, without procedure, date or place: send its Procedure."
        record.warn("no-date", text, source.path, code="incomplete")
    return [_of_device(source, product) for product in products]


def _referred_to(record: Record) -> set[int]:
    found: set[int] = set()
    for source in record.of_type("Procedure", "DeviceUseStatement"):
        values = [source.resource.get("usedReference"), source.resource.get("device")]
        values += [one.get("manipulated") for one in objects(source.resource.get("focalDevice"))]
        found |= {one.source.index for value in values for one in record.follow_all(value, source)}
    return found


def _of_device(source: Source, product: Named) -> FillerInjection:
    return FillerInjection(
        source=source.ref,
        performed=None,
        material=product.material,
        product=product.product,
        recognised_by=product.recognised_by,
        source_certainty="patient-reported" if product.patient_reported else "recorded",
        quote=product.words,
    )


def injection_of_medicine(source: Source, concept: object, record: Record) -> FillerInjection | None:
    """A filler that was recorded as a medicine given, by its trade name; `None` for any real medicine."""
    text = concept_text(concept)
    how = record.words.say("read.medication_text")
    named = [one for one in named_in_text(text, how=how, rank=Rank.USED_CODE, record=record) if one.brand]
    if not named:
        return None
    product = by_material(named)[0]
    sites = [dosage.get("site") for dosage in objects(source.resource.get("dosage"))]
    return FillerInjection(
        source=source.ref,
        performed=record.when(source, stem="effective", what="This filler"),
        material=product.material,
        product=product.product,
        recognised_by=product.recognised_by,
        sites=tuple(site for one in sites for site in sites_of_list(one, record.knowledge)),
        volume_ml=product.volume_ml,
        dilution=product.dilution,
        source_certainty="patient-reported" if source.type == "MedicationStatement" else "recorded",
        quote=text,
    )
