"""The CapabilityStatement names what the routes do: no more, and no less."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.addresses import READABLE_TYPES, ROWS
from api.app import methods_at, routes
from api.settings import ApiSettings
from fhir_mappings.capability import MADE_TYPES
from fhir_mappings.limits import DEFAULT_LIMITS
from fhir_mappings.resource_types import KEPT_TYPES
from tests.unit.api.service import FHIR_JSON, Door

# Where the caller looks up how to talk to us, and the status of an asynchronous request: FHIR has no element for them.
ABOUT_THE_DOOR = {
    ("GET", "/fhir/metadata"),
    ("GET", "/fhir/.well-known/smart-configuration"),
    ("GET", "/fhir/OperationDefinition/x"),
    ("GET", "/fhir/async-status/x"),
    ("DELETE", "/fhir/async-status/x"),
    ("GET", "/fhir/async-status/x/result"),
    ("GET", "/fhir/async-status/x/files/x"),
}
REQUESTS = {
    "read": ("GET", "/fhir/{type}/x"),
    "vread": ("GET", "/fhir/{type}/x/_history/x"),
    "search-type": ("GET", "/fhir/{type}"),
    "update": ("PUT", "/fhir/{type}/x"),
    "delete": ("DELETE", "/fhir/{type}/x"),
    "create": ("POST", "/fhir/{type}"),
    "history-instance": ("GET", "/fhir/{type}/x/_history"),
}
NOT_OFFERED = {"method-not-allowed", "not-offered", "unknown-type", "unknown-address"}


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
            # FHIR has no code of its own for the search by form; our few artefacts are not searched so.
            if interaction["code"] == "search-type" and resource["type"] in ROWS:
                said.add(("POST", f"/fhir/{resource['type']}/_search"))
        for operation in resource.get("operation", ()):
            said.add(("POST", f"/fhir/{resource['type']}/x/${operation['name']}"))
            if operation["name"] == "validate":  # of a resource that has no id yet, too
                said.add(("POST", f"/fhir/{resource['type']}/${operation['name']}"))
            if operation["name"] == "explain":  # it changes nothing, so FHIR lets it be read, too
                said.add(("GET", f"/fhir/{resource['type']}/x/${operation['name']}"))
    return said


def _offered(door: Door) -> set[tuple[str, str]]:
    """What the FHIR routes take; where all types share a route, each type is asked whether it is meant."""
    found: set[tuple[str, str]] = set()
    for route in routes():
        if not route.path.startswith("/fhir"):
            continue
        parts = route.path_format.rstrip("/").split("/")
        shared = "{resource_type}" in parts
        for type_ in sorted(ROWS) if shared else [""]:
            path = "/".join(
                type_ if part == "{resource_type}" else "x" if part.startswith("{") else part for part in parts
            )
            for method in route.methods or ():
                if not shared or _is_taken(door, method, path):
                    found.add((method, path))
    return found


def _is_taken(door: Door, method: str, path: str) -> bool:
    answer = door.client.request(method, path.removeprefix("/fhir"), headers=FHIR_JSON)
    if answer.status_code < 400:
        return True
    return answer.json()["issue"][0]["details"]["coding"][0]["code"] not in NOT_OFFERED


@pytest.mark.requirement("HTTP-01")
def test_the_statement_and_the_routes_are_the_same(rest: dict[str, Any], door: Door) -> None:
    assert _stated(rest) | ABOUT_THE_DOOR == _offered(door)


@pytest.mark.requirement("HTTP-09")
def test_allow_names_what_the_statement_offers(rest: dict[str, Any], door: Door) -> None:
    """Of every address of every type: what `Allow` says of a method that none takes."""
    stated: dict[str, set[str]] = {}
    for method, path in _stated(rest) | ABOUT_THE_DOOR:
        stated.setdefault(path, set()).update({method, "HEAD"} if method == "GET" else {method})
    for path, methods in stated.items():
        assert methods_at(path) == methods, path
        answer = door.client.request("PATCH", path.removeprefix("/fhir"))
        assert (answer.status_code, answer.headers["Allow"]) == (405, ", ".join(sorted(methods))), path


def test_every_operation_is_defined(rest: dict[str, Any], door: Door) -> None:
    operations = [*rest["operation"], *(one for row in rest["resource"] for one in row.get("operation", ()))]
    assert {one["name"] for one in operations} == {"correlate", "explain", "retry", "validate"}
    for operation in operations:
        definition = door.client.get(operation["definition"].split("/fhir", 1)[1]).json()
        assert (definition["code"], definition["url"]) == (operation["name"], operation["definition"])


@pytest.mark.requirement("HTTP-01", "HTTP-08")
def test_the_stated_search_parameters_are_understood_and_no_other(rest: dict[str, Any], door: Door) -> None:
    strict = {"Prefer": "handling=strict"}
    values = {"date": "2020", "reference": "nobody", "token": "a", "string": "a"}
    searched = [row for row in rest["resource"] if "searchParam" in row and row["type"] in ROWS]
    assert {row["type"] for row in searched} == {*KEPT_TYPES, *MADE_TYPES} - {"Task"}
    for row in searched:
        path = f"/{row['type']}"
        for parameter in row["searchParam"]:
            answer = door.client.get(path, params={parameter["name"]: values[parameter["type"]]}, headers=strict)
            assert answer.status_code == 200, (path, parameter)
        for name, stated in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
            for value in row.get(stated, ()):
                assert door.client.get(path, params={name: value}, headers=strict).status_code == 200, value
        assert door.client.get(path, params={"colour": "red"}, headers=strict).status_code == 400


def test_all_that_is_kept_or_made_can_be_read() -> None:
    assert {*KEPT_TYPES, *MADE_TYPES} == READABLE_TYPES


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
