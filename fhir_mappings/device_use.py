"""This file reads DeviceUseStatements of fillers and ties each to its Procedure: by reference, by device, by date.

FHIR R4 DeviceUseStatement: https://hl7.org/fhir/R4/deviceusestatement.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from correlation.dates import DateRange
from correlation.timeline import BodySite
from fhir_mappings.body_sites import sites_of_list
from fhir_mappings.dates import read_when
from fhir_mappings.elements import notes, objects, string
from fhir_mappings.product_named import Named, Rank, is_filler_device, named_by_device, used_devices
from fhir_mappings.record import ENTERED_IN_ERROR, Found, Record, Source

_DATE_IN_WORDS: Final = re.compile(r"(?<!\d)\d{4}(?:-\d{2}(?:-\d{2})?)?(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUse:
    """One use of a filler, before it is known to which Procedure it belongs."""

    source: Source
    device: Found
    named: tuple[Named, ...]
    when: DateRange | None
    sites: tuple[BodySite, ...]
    by_patient: bool


def device_uses(record: Record) -> list[DeviceUse]:
    """Every DeviceUseStatement whose device is a filler; those entered in error are left out."""
    return [
        use
        for source in record.of_type("DeviceUseStatement")
        for use in record.guarded_list(partial(_uses, source, record), path=source.path)
    ]


def _uses(source: Source, record: Record) -> list[DeviceUse]:
    if string(source.resource.get("status")) == ENTERED_IN_ERROR:
        return []
    for device in record.follow_all(source.resource.get("device"), source)[:1]:
        named = named_by_device(device, rank=Rank.DEVICE_USE, record=record)
        if is_filler_device(device, named):
            return [_use(source, device, named, record)]
    return []


def _use(source: Source, device: Found, named: list[Named], record: Record) -> DeviceUse:
    resource = source.resource
    told_by = [found.ref.type for found in record.follow_all(resource.get("source"), source)]
    return DeviceUse(
        source=source,
        device=device,
        named=tuple(named),
        when=_timing(source),
        sites=sites_of_list(resource.get("bodySite"), record.knowledge),
        by_patient="Patient" in told_by or "Patient/" in string(_first_reference(resource.get("source"))),
    )


def _first_reference(value: object) -> object:
    return next((item.get("reference") for item in objects(value)), None)


def _timing(source: Source) -> DateRange | None:
    return read_when(source.resource, stem="timing", path=source.path, what="").when


def uses_by_procedure(
    uses: Iterable[DeviceUse], procedures: Sequence[Source], *, fillers: Sequence[Source], record: Record
) -> tuple[dict[int, list[DeviceUse]], list[DeviceUse]]:
    """The uses of each Procedure, by its place in the input, and the uses that belong to none.

    `fillers` are the Procedures that may be filler procedures: only they are matched by date.
    """
    tied: dict[int, list[DeviceUse]] = {}
    loose: list[DeviceUse] = []
    for use in uses:
        procedure = (
            _by_reference(use, procedures, record)
            or _by_device(use, procedures, record)
            or _by_note(use, fillers)
            or _by_date(use, fillers, record)
        )
        if procedure is None:
            loose.append(use)
        else:
            tied.setdefault(procedure.index, []).append(use)
    return tied, loose


def _by_reference(use: DeviceUse, procedures: Sequence[Source], record: Record) -> Source | None:
    resource = use.source.resource
    named = [*record.follow_all(resource.get("derivedFrom"), use.source)]
    named += record.follow_all(resource.get("reasonReference"), use.source)
    return next((found.source for found in named if found.source in procedures), None)


def _by_device(use: DeviceUse, procedures: Sequence[Source], record: Record) -> Source | None:
    if use.device.source is use.source:  # contained: nobody else can refer to it
        return None
    using = [
        procedure
        for procedure in procedures
        if any(device.ref == use.device.ref for device in used_devices(procedure, record))
    ]
    same_day = [procedure for procedure in using if _performed(procedure) == use.when]
    return same_day[0] if same_day else using[0] if len(using) == 1 and use.when is None else None


def _by_note(use: DeviceUse, procedures: Sequence[Source]) -> Source | None:
    texts = (*notes(use.source.resource), *notes(use.device.resource))
    dates = {date for text in texts for date in _DATE_IN_WORDS.findall(text)}
    named = [one for one in procedures if string(one.resource.get("performedDateTime"))[:10] in dates]
    return named[0] if len(named) == 1 else None


def _by_date(use: DeviceUse, procedures: Sequence[Source], record: Record) -> Source | None:
    if use.when is None:
        return None
    same_day = [one for one in procedures if _performed(one) == use.when]
    if len(same_day) > 1 and use.sites:
        same_day = [one for one in same_day if _shares_site(use, one, record)]
    return same_day[0] if len(same_day) == 1 else None


def _shares_site(use: DeviceUse, procedure: Source, record: Record) -> bool:
    there = {site.region for site in sites_of_list(procedure.resource.get("bodySite"), record.knowledge)}
    return bool(there & {site.region for site in use.sites})


def _performed(procedure: Source) -> DateRange | None:
    return read_when(procedure.resource, stem="performed", path=procedure.path, what="").when
