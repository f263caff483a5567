"""The CapabilityStatement names what the routes do: no more, and no less."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.app import routes
from api.resources import READABLE_TYPES
from api.settings import ApiSettings
from fhir_mappings.capability import MADE_TYPES
from fhir_mappings.limits import DEFAULT_LIMITS
from fhir_mappings.resource_types import KEPT_TYPES
from tests.unit.api.service import FHIR_JSON, Door

# Where the caller looks up how to talk to us, and the status of an asynchronous request: FHIR has no element for them.
ABOUT_THE_DOOR = {
    ("GET", "/fhir/metadata"),
    ("GET", "/fhir/OperationDefinition/x"),
    ("GET", "/fhir/async-status/x"),
    ("DELETE", "/fhir/async-status/x"),
}
REQUESTS = {
    "read": ("GET", "/fhir/{type}/x"),
    "vread": ("GET", "/fhir/{type}/x/_history/x"),
    "search-type": ("GET", "/fhir/{type}"),
    "update": ("PUT", "/fhir/{type}/x"),
}


@pytest.fixture
def rest(door: Door) -> dict[str, Any]:
    found: dict[str, Any] = door.client.get("/metadata").json()["rest"][0]
    return found


def _stated(rest: dict[str, Any]) -> set[tuple[str, str]]:
    """What the statement says can be asked, `x` standing for any id."""
    said = {("POST", "/fhir")} if {one["code"] for one in rest["interaction"]} == {"transaction", "batch"} else set()
    said |= {("POST", f"/fhir/${operation['name']}") for operation in rest["operation"]}
    for resource in rest["resource"]:
        for interaction in resource["interaction"]:
            method, path = REQUESTS[interaction["code"]]
            said.add((method, path.format(type=resource["type"])))
        for operation in resource.get("operation", ()):
            said.add(("POST", f"/fhir/{resource['type']}/x/${operation['name']}"))
    return said


def _offered() -> set[tuple[str, str]]:
    """What the FHIR routes take; the one route for all types stands for each type that it reads."""
    found: set[tuple[str, str]] = set()
    for route in routes():
        if not route.path.startswith("/fhir"):
            continue
        parts = route.path.rstrip("/").split("/")
        types = sorted(READABLE_TYPES) if "{resource_type}" in parts else [""]
        for type_ in types:
            path = "/".join(
                type_ if part == "{resource_type}" else "x" if part.startswith("{") else part for part in parts
            )
            found |= {(method, path) for method in route.methods or ()}
    return found


def test_the_statement_and_the_routes_are_the_same(rest: dict[str, Any]) -> None:
    assert _stated(rest) | ABOUT_THE_DOOR == _offered()


def test_every_operation_is_defined(rest: dict[str, Any], door: Door) -> None:
    operations = [*rest["operation"], *(one for row in rest["resource"] for one in row.get("operation", ()))]
    assert {one["name"] for one in operations} == {"correlate", "retry"}
    for operation in operations:
        definition = door.client.get(operation["definition"].split("/fhir", 1)[1]).json()
        assert (definition["code"], definition["url"]) == (operation["name"], operation["definition"])


def test_the_stated_search_parameters_are_understood_and_no_other(rest: dict[str, Any], door: Door) -> None:
    (reports,) = [row for row in rest["resource"] if "searchParam" in row]
    assert reports["type"] == "DiagnosticReport"
    strict = {"Prefer": "handling=strict"}
    for parameter in reports["searchParam"]:
        asked = {"patient": "nobody", parameter["name"]: "nobody"}
        assert door.client.get("/DiagnosticReport", params=asked, headers=strict).status_code == 200, parameter
    asked = {"patient": "nobody", "date": "2020"}
    assert door.client.get("/DiagnosticReport", params=asked, headers=strict).status_code == 400


def test_all_that_is_kept_or_made_can_be_read() -> None:
    assert {*KEPT_TYPES, *MADE_TYPES} - {"Task"} == READABLE_TYPES


def test_a_stored_medication_can_be_read(door: Door) -> None:
    medication: dict[str, Any] = {"resourceType": "Medication", "id": "m", "code": {"text": "Alendronic acid"}}
    statement = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "medicationReference": {"reference": "Medication/m"},
    }
    resources: list[dict[str, Any]] = [{"resourceType": "Patient", "id": "p"}, medication, statement]
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    answer = door.client.post("", content=body, headers=FHIR_JSON).json()
    place = answer["entry"][1]["response"]["location"].removeprefix(f"{door.base}/").partition("/_history")[0]
    read = door.client.get(f"/{place}")
    assert read.status_code == 200
    assert read.json()["code"] == medication["code"]


def test_the_limits_have_one_default() -> None:
    settings = ApiSettings()
    assert (settings.max_bytes, settings.max_depth) == (DEFAULT_LIMITS.bytes, DEFAULT_LIMITS.depth)
