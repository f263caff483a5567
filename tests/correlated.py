"""One FHIR Bundle as its result, without a service: what the tests of the clinical answer begin with."""

from __future__ import annotations

from datetime import date, datetime

from correlation.catalogue import Knowledge
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.limits import DEFAULT_LIMITS, Limits
from fhir_mappings.stateless import StatelessResult, correlate_parsed


def correlate_bundle(
    raw: bytes,
    *,
    knowledge: Knowledge,
    as_of: date,
    issued: datetime,
    software_version: str,
    limits: Limits = DEFAULT_LIMITS,
) -> StatelessResult:
    """Raises BundleRejected where nothing can be done with it."""
    parsed = parse_bundle(raw, limits=limits)
    return correlate_parsed(parsed, knowledge=knowledge, as_of=as_of, issued=issued, software_version=software_version)
