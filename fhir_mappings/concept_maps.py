"""This file writes our ConceptMaps: product name to material, and body region to SNOMED CT, out of the knowledge base.

FHIR R4 ConceptMap: https://hl7.org/fhir/R4/conceptmap.html. SNOMED CT codes are those whose meaning was verified.
"""

from __future__ import annotations

from typing import Any, Final

from correlation.catalogue import Knowledge
from fhir_mappings import canonical
from fhir_mappings.value_sets import value_set_url

CONCEPT_MAP_BASE: Final = f"{canonical.BASE}/ConceptMap/"
PRODUCT_TO_MATERIAL: Final = f"{CONCEPT_MAP_BASE}product-to-material"
REGION_TO_SNOMED: Final = f"{CONCEPT_MAP_BASE}region-to-snomed"


def concept_maps(knowledge: Knowledge, *, software_version: str) -> tuple[dict[str, Any], ...]:
    """Both maps, as the knowledge base has them."""
    return (_products(knowledge, software_version), _regions(knowledge, software_version))


def _products(knowledge: Knowledge, software_version: str) -> dict[str, Any]:
    elements = [
        {
            "code": product,
            "display": product,
            "target": [{"code": material.id, "display": material.name, "equivalence": "wider"}],
        }
        for material in knowledge.materials.values()
        for product in material.product_names
    ]
    return {
        **_map(PRODUCT_TO_MATERIAL, "ProductToMaterial", "Filler products and what they are made of", software_version),
        "description": "A product's name as it stands in a record, without regard to case, and the class of material "
        "it is. Names are no codes of a code system, so the group has no source.",
        "targetCanonical": value_set_url(canonical.FILLER_MATERIAL),
        "group": [{"target": canonical.FILLER_MATERIAL, "element": elements}],
    }


def _regions(knowledge: Knowledge, software_version: str) -> dict[str, Any]:
    elements = [
        {
            "code": region.id,
            "display": region.name,
            "target": [
                {"code": one.code, "equivalence": "equivalent", "comment": one.means} for one in region.snomed_codes
            ],
        }
        for region in knowledge.regions.values()
        if region.snomed_codes
    ]
    return {
        **_map(REGION_TO_SNOMED, "RegionToSnomed", "Body regions and SNOMED CT", software_version),
        "description": "The regions for which a SNOMED CT code of the same meaning was verified; others have none.",
        "copyright": "This material includes SNOMED Clinical Terms (SNOMED CT), used by permission of SNOMED "
        "International. All rights reserved.",
        "sourceCanonical": value_set_url(canonical.BODY_SITE),
        "group": [{"source": canonical.BODY_SITE, "target": canonical.SNOMED, "element": elements}],
    }


def _map(url: str, name: str, title: str, software_version: str) -> dict[str, Any]:
    return {
        "resourceType": "ConceptMap",
        "id": url.rsplit("/", 1)[1],
        "url": url,
        "version": software_version,
        "name": name,
        "title": title,
        "status": "draft",
        "experimental": True,
        "publisher": canonical.SOFTWARE_NAME,
    }
