"""This file sorts FHIR R4's resource types: kept, part of the exchange, people and places, and all others."""

from __future__ import annotations

from typing import Final

from fhir_mappings.code_tables import code_table

_TABLE: Final = code_table("resource_types")

KEPT_TYPES: Final[frozenset[str]] = frozenset(_TABLE["kept"])
"""Kept per patient (contract, section 3). Other types stay in the received bytes only."""

ABOUT_NO_PATIENT: Final[frozenset[str]] = frozenset({"Practitioner", "Organization", "Medication"})
"""Kept types that stand beside many patients and say nothing of them: whoever refers to them shares them."""

EXCHANGE_TYPES: Final[frozenset[str]] = frozenset(_TABLE["exchange"])
PEOPLE_AND_PLACES: Final[frozenset[str]] = frozenset(_TABLE["people_and_places"])
R4_TYPES: Final[frozenset[str]] = KEPT_TYPES | EXCHANGE_TYPES | PEOPLE_AND_PLACES | frozenset(_TABLE["others"])
