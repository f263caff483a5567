"""This file makes of what a FHIR server gave the same that is made of a client's Bundle: what the record takes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from admission.incoming import Intake, intake_from
from ehr.client import searchset
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.limits import Limits
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.resource_json import dumps

_NO_BASE: Final = "urn:fillertrace:nowhere"  # what an EHR sends never means an id of ours


def intake_of(base_url: str, resources: Iterable[Mapping[str, Any]]) -> tuple[bytes, Intake]:
    """Resources of a server as one Bundle, and what it brings. Raises BundleRejected."""
    bundle = searchset(base_url, resources)
    raw = dumps(bundle)
    # What was read is bounded already (ehr/history.py).
    parsed = parse_bundle(raw, limits=Limits(bytes=len(raw), entries=len(bundle["entry"]) + 1))
    brought = intake_from(
        parsed, sort_by_patient(parsed), base_url=_NO_BASE, held=lambda type_, identity: False, keep_empty_groups=True
    )
    return raw, brought
