"""fhir.resources behind one function: paths, never values; and the table of first-level fields is true to it."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_mappings.code_tables import code_table
from fhir_mappings.issues import ISSUE_CODES, operation_outcome
from fhir_mappings.resource_types import KEPT_TYPES
from fhir_mappings.validation import validate
from tests.unit.fhir_mappings.reading import lab, procedure


def test_a_good_resource_has_no_issue() -> None:
    assert validate(procedure()) == ()
    assert operation_outcome(())["issue"][0]["severity"] == "information"


def test_faults_are_named_by_path_and_never_by_value() -> None:
    broken = lab(valueQuantity={"value": "canary"}, canary="canary")
    found = validate(broken, path="Bundle.entry[3].resource")
    assert {issue.expression[0] for issue in found} >= {
        "Bundle.entry[3].resource.value.value",
        "Bundle.entry[3].resource.canary",
    }
    assert {issue.detail for issue in found} == {"invalid-element", "unknown-field"}
    assert not any("canary" in issue.text for issue in found)


def test_an_unknown_type_inside_is_an_issue_not_an_error() -> None:
    entry = {"resource": {"resourceType": "NopeType"}}
    assert validate({"resourceType": "Bundle", "type": "collection", "entry": [entry]})
    assert validate({"resourceType": "NopeType"})[0].detail == "unknown-type"


@pytest.mark.parametrize("kind", sorted(KEPT_TYPES))
def test_the_table_of_fields_is_that_of_fhir_resources(kind: str) -> None:
    fields = get_fhir_model_class(kind).model_fields
    names = {field.alias or name for name, field in fields.items() if not name.endswith("__ext")}
    names = {name for name in names if not name.startswith("_")} - {"fhir_comments", "resource_type"}
    table = code_table("elements")
    assert names | {"resourceType"} == {*table["common"], *table["elements"][kind]}


def test_every_issue_has_plain_words() -> None:
    assert all(words[0].isupper() or words.startswith("JSON") for words in ISSUE_CODES.values())
