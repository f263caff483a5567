"""This file gathers our conformance artefacts: code systems, value sets, maps, profiles, extensions, operations.

They are made from the same tables as the answers, so that they cannot differ from them. `make generated` writes them to
`docs/fhir/`; the API serves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Any, Final

from correlation.catalogue import Knowledge
from fhir_mappings.code_systems import code_system_resources
from fhir_mappings.concept_maps import concept_maps
from fhir_mappings.operation_definitions import operation_definitions
from fhir_mappings.report_profiles import report_profiles
from fhir_mappings.structure_definitions import structure_definitions
from fhir_mappings.value_sets import value_sets

_XHTML: Final = "http://www.w3.org/1999/xhtml"


def conformance_resources(
    knowledge: Knowledge, *, software_version: str, issue_words: Mapping[str, str]
) -> Mapping[str, dict[str, Any]]:
    """All artefacts by their canonical address. `issue_words` are all codes of `issue` with their plain words."""
    systems = code_system_resources(knowledge, issue_words=issue_words)
    every = (
        *systems,
        *value_sets(systems),
        *concept_maps(knowledge, software_version=software_version),
        *structure_definitions(software_version=software_version),
        *report_profiles(software_version=software_version),
        *operation_definitions(software_version=software_version),
    )
    return MappingProxyType({one["url"]: _finished(one, knowledge) for one in every})


def _finished(resource: dict[str, Any], knowledge: Knowledge) -> dict[str, Any]:
    """The artefact with a narrative, and the date of the knowledge base it was made from, where that has one."""
    title, says = resource.get("title", resource["name"]), resource.get("description", "")
    div = f'<div xmlns="{_XHTML}"><h2>{escape(title)}</h2><p>{escape(says)}</p></div>'
    head = {"resourceType": resource["resourceType"], "id": resource["id"]}
    text = {"text": {"status": "generated", "div": div}}
    return {**head, **text, **resource, **({"date": knowledge.issued.isoformat()} if knowledge.issued else {})}
