"""This file makes of what a FHIR server gave the same that is made of a client's Bundle: what the record takes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from admission.incoming import Intake, intake_from
from admission.patient_links import ENTRY
from ehr.client import searchset
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.limits import Limits
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.resource_json import dumps
from store.incoming import PatientLink


def intake_of(base_url: str, resources: Iterable[Mapping[str, Any]]) -> tuple[bytes, Intake]:
    """Resources of a server as one Bundle, and what it brings. Raises BundleRejected.

    Nothing in it means an id of ours, and whose record has become a part of whose it says of its own Patients alone.
    """
    bundle = searchset(base_url, resources)
    raw = dumps(bundle)
    # What was read is bounded already (ehr/history.py).
    parsed = parse_bundle(raw, limits=Limits(bytes=len(raw), entries=len(bundle["entry"]) + 1))
    brought = intake_from(
        parsed,
        sort_by_patient(parsed),
        base_url=uuid4().urn,  # nobody knows it, so nobody can write an address on it
        held=lambda type_, identity: False,
        keep_empty_groups=True,
    )
    return raw, replace(brought, links=tuple(one for one in brought.links if _is_between(one, base_url)))


def _is_between(link: PatientLink, base_url: str) -> bool:
    """Whether both Patients are of this server: one is in the Bundle, the other is named by an address."""
    own = (f"{base_url}/Patient/", ENTRY)
    return link.replaced.startswith(own) and link.surviving.startswith(own)
