"""Reading as FHIR R4 has it: formats, summaries, versions, histories, what is not there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.service import FHIR_JSON, Door, case

EXAMPLES = Path(__file__).parents[2] / "examples" / "hl7-r4"
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def _post(door: Door, resource: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
    body = resource if isinstance(resource, bytes) else json.dumps(resource)
    type_ = json.loads(body)["resourceType"]
    return door.client.post(f"/{type_}", content=body, headers={**FHIR_JSON, **headers})


def _example(door: Door, name: str) -> str:
    """The path of an example of HL7's, stored."""
    stored = _post(door, (EXAMPLES / f"{name}.json").read_bytes())
    assert stored.status_code == 201, stored.text
    return stored.headers["Location"].removeprefix(door.base).partition("/_history")[0]


def _detail(answer: httpx.Response) -> str:
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["details"]["text"]
    code: str = outcome["issue"][0]["details"]["coding"][0]["code"]
    return code


@pytest.mark.requirement("HTTP-01")
def test_the_statement_needs_no_token_and_any_mode(door: Door) -> None:
    for mode in ("", "?mode=full", "?mode=normative", "?mode=terminology"):
        answer = httpx.get(f"{door.base}/metadata{mode}")
        statement = answer.json()
        assert (answer.status_code, statement["resourceType"]) == (200, "CapabilityStatement")
        assert (statement["kind"], statement["fhirVersion"]) == ("instance", "4.0.1")
        assert "application/fhir+json" in statement["format"]
        (rest,) = statement["rest"]
        assert rest["security"]["description"]
        assert {one["name"] for one in rest["operation"]} >= {"correlate"}
        patient = next(one for one in rest["resource"] if one["type"] == "Patient")
        interactions = {one["code"] for one in patient["interaction"]}
        assert interactions >= {"read", "vread", "history-instance", "create", "update", "delete"}


@pytest.mark.requirement("HTTP-02")
def test_json_is_spoken_and_nothing_else(door: Door) -> None:
    path = _example(door, "Patient-newborn")
    for accept in ("application/fhir+json", "application/json", "application/fhir+json; charset=utf-8", "*/*"):
        answer = door.client.get(path, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/fhir+json")
    for address in (path, f"{path}/_history", f"{path}/_history/1", "/metadata"):
        refused = door.client.get(address, headers={"Accept": "application/fhir+xml"})
        assert (refused.status_code, _detail(refused)) == (406, "not-acceptable")
    body = (EXAMPLES / "Patient-newborn.json").read_bytes()
    for content_type in ("application/fhir+json", "application/json; charset=UTF-8", "text/json"):
        assert door.client.post("/Patient", content=body, headers={"Content-Type": content_type}).status_code < 300
    for method, address in (("POST", "/Patient"), ("PUT", path), ("POST", "")):
        refused = door.client.request(method, address, content=body, headers={"Content-Type": "application/fhir+xml"})
        assert (refused.status_code, _detail(refused)) == (415, "unsupported-media-type")


@pytest.mark.requirement("HTTP-03")
def test_format_and_pretty(door: Door) -> None:
    path = _example(door, "Patient-example")
    for wanted in ("json", "application/json", "application/fhir+json"):
        answer = door.client.get(path, params={"_format": wanted}, headers={"Accept": "text/html"})
        assert answer.status_code == 200
    refused = door.client.get(path, params={"_format": "xml"}, headers={"Accept": "application/fhir+json"})
    assert (refused.status_code, _detail(refused)) == (406, "not-acceptable")
    plain = door.client.get(path)
    pretty = door.client.get(path, params={"_pretty": "true"})
    assert plain.text == door.client.get(path, params={"_pretty": "false"}).text
    assert "\n" not in plain.text
    assert '\n  "resourceType": "Patient"' in pretty.text
    assert pretty.json() == plain.json()
    assert (
        '\n  "resourceType": "OperationOutcome"' in door.client.get("/Patient/nobody", params={"_pretty": "true"}).text
    )
    for asked in ({"_pretty": "perhaps"}, {"_summary": "short"}, {"_summary": "count"}):
        refused = door.client.get(path, params=asked)
        assert (refused.status_code, _detail(refused)) == (400, "invalid-parameter"), asked


@pytest.mark.requirement("HTTP-03")
def test_a_part_of_a_resource_says_so(door: Door) -> None:
    path = _example(door, "Patient-example")
    whole = door.client.get(path).json()
    assert "contact" in whole
    assert SUBSETTED not in whole["meta"].get("tag", [])
    seen = {
        "true": {"identifier", "active", "name", "telecom", "gender", "birthDate", "_birthDate", "deceasedBoolean"},
        "text": {"text", "active", "deceasedBoolean"},
        "data": whole.keys() - {"resourceType", "id", "meta", "text"},
    }
    seen["true"] |= {"address", "managingOrganization"}
    for address in (path, f"{path}/_history/1"):
        for summary, expected in seen.items():
            part = door.client.get(address, params={"_summary": summary}).json()
            assert part.keys() - {"resourceType", "id", "meta"} == expected, summary
            assert SUBSETTED in part["meta"]["tag"]
            assert part["meta"]["versionId"] == "1"
        assert door.client.get(address, params={"_summary": "false"}).json() == whole
        named = door.client.get(address, params={"_elements": "birthDate, deceased"}).json()
        assert named.keys() == {
            "resourceType", "id", "meta", "birthDate", "_birthDate", "deceasedBoolean", "active"
        }  # fmt: skip
        assert SUBSETTED in named["meta"]["tag"]
    assert door.client.get(path).json() == whole


@pytest.mark.requirement("HTTP-03")
def test_in_a_history_the_resources_are_cut(door: Door) -> None:
    path = _example(door, "Patient-example")
    counted = door.client.get(f"{path}/_history", params={"_summary": "count"}).json()
    assert (counted["total"], "entry" in counted) == (1, False)
    cut = door.client.get(f"{path}/_history", params={"_elements": "gender"}).json()
    assert "name" not in cut["entry"][0]["resource"]
    assert cut["entry"][0]["response"]["status"] == "201 Created"
    assert SUBSETTED in cut["entry"][0]["resource"]["meta"]["tag"]


@pytest.mark.requirement("HTTP-03")
def test_a_part_is_not_taken_for_the_whole(door: Door) -> None:
    path = _example(door, "Patient-example")
    part = door.client.get(path, params={"_summary": "true"}).text
    refused = door.client.put(path, content=part, headers=FHIR_JSON)
    assert (refused.status_code, _detail(refused)) == (422, "subsetted")
    assert "contact" in door.client.get(path).json()


@pytest.mark.requirement("HTTP-04")
def test_a_version_is_known_by_its_tag_and_its_date(door: Door) -> None:
    path = _example(door, "Observation-f003")
    read = door.client.get(path)
    assert read.headers["ETag"] == f'W/"{read.json()["meta"]["versionId"]}"'
    modified = parsedate_to_datetime(read.headers["Last-Modified"])
    said = datetime.fromisoformat(read.json()["meta"]["lastUpdated"])
    assert said - modified < timedelta(seconds=1)
    for known in (read.headers["ETag"], 'W/"7", W/"1"', "*"):
        answer = door.client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == read.headers["ETag"]
    assert door.client.get(path, headers={"If-None-Match": 'W/"2"'}).status_code == 200
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    earlier = format_datetime(modified - timedelta(minutes=1), usegmt=True)
    assert door.client.get(path, headers={"If-Modified-Since": read.headers["Last-Modified"]}).status_code == 304
    assert door.client.get(path, headers={"If-Modified-Since": later}).status_code == 304
    assert door.client.get(path, headers={"If-Modified-Since": earlier}).status_code == 200
    assert door.client.get(path, headers={"If-Modified-Since": "soon"}).status_code == 200
    both = {"If-None-Match": 'W/"2"', "If-Modified-Since": later}
    assert door.client.get(path, headers=both).status_code == 200


@pytest.mark.requirement("HTTP-04")
def test_head_is_get_without_the_body(door: Door) -> None:
    path = _example(door, "Patient-newborn")
    for address in (path, f"{path}/_history", f"{path}/_history/1", "/metadata", "/Patient/nobody"):
        got, headed = door.client.get(address), door.client.head(address)
        assert (headed.status_code, headed.content) == (got.status_code, b"")
        for name in ("content-type", "content-length", "etag", "last-modified"):
            assert headed.headers.get(name) == got.headers.get(name), (address, name)
    refused = door.client.head("/$correlate")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


@pytest.mark.requirement("HTTP-04")
def test_the_history_shows_every_version_and_its_end(door: Door) -> None:
    path = _example(door, "Patient-newborn")
    type_, identity = path.strip("/").split("/")
    current = door.client.get(path).json()
    for gender in ("unknown", "other"):
        door.client.put(path, content=json.dumps({**current, "gender": gender}), headers=FHIR_JSON)
    between = door.client.get(path).json()["meta"]["lastUpdated"]
    assert door.client.delete(path).status_code == 204
    history = door.client.get(f"{path}/_history").json()
    assert (history["type"], history["total"], history["link"][0]["relation"]) == ("history", 4, "self")
    responses = [(one["response"]["etag"], one["response"]["status"][:3]) for one in history["entry"]]
    assert responses == [('W/"4"', "204"), ('W/"3"', "200"), ('W/"2"', "200"), ('W/"1"', "201")]
    assert [one["request"]["method"] for one in history["entry"]] == ["DELETE", "PUT", "PUT", "POST"]
    assert [one.get("resource", {}).get("gender") for one in history["entry"]] == [None, "other", "unknown", "male"]
    assert {one["fullUrl"] for one in history["entry"]} == {f"{door.base}/{type_}/{identity}"}
    since = door.client.get(f"{path}/_history", params={"_since": between}).json()
    assert since["total"] == 2
    assert door.client.get(f"{path}/_history", params={"_since": "2999-01-01T00:00:00Z"}).json()["total"] == 0
    refused = door.client.get(f"{path}/_history", params={"_since": "lately"})
    assert (refused.status_code, _detail(refused)) == (400, "invalid-parameter")
    assert door.client.get("/Patient/nobody/_history").status_code == 404
    overflowing = door.client.get(f"{path}/_history", params={"_since": "0001-01-01T00:00:00+14:00"})
    assert (overflowing.status_code, _detail(overflowing)) == (400, "invalid-parameter")
    assert _detail(door.client.get("/Patient/_history")) == "unknown-address"


@pytest.mark.requirement("HTTP-04")
def test_a_history_is_read_page_by_page_while_it_grows(door: Door) -> None:
    path = _example(door, "Patient-newborn")
    current = door.client.get(path).json()

    def change(text: str) -> None:
        door.client.put(path, content=json.dumps({**current, "language": text}), headers=FHIR_JSON)

    for text in ("en", "es", "de", "fr"):
        change(text)
    address: str | None = f"{door.base}{path}/_history?_count=2"
    seen: list[str] = []
    while address:
        page = httpx.get(address).json()
        seen += [one["response"]["etag"] for one in page["entry"]]
        address = next((one["url"] for one in page["link"] if one["relation"] == "next"), None)
        change(f"x-{len(seen)}")
    assert seen == [f'W/"{number}"' for number in (5, 4, 3, 2, 1)]


def test_what_we_made_has_versions_too(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    for path in (f"/DiagnosticReport/{report['id']}", f"/{report['result'][0]['reference']}"):
        read = door.client.get(path)
        assert door.client.get(f"{path}/_history/1").content == read.content
        history = door.client.get(f"{path}/_history").json()
        assert [one["resource"] for one in history["entry"]] == [read.json()]
        assert door.client.get(f"{path}/_history/2").status_code == 404


@pytest.mark.requirement("HTTP-09")
def test_what_is_not_there_is_told_apart(door: Door) -> None:
    path = _example(door, "Patient-newborn")
    assert door.client.delete(path).status_code == 204
    gone = door.client.get(path)
    assert (gone.status_code, _detail(gone)) == (410, "gone")
    last = door.client.get(f"{path}/_history/2")
    assert (last.status_code, _detail(last)) == (410, "gone")
    assert door.client.get(f"{path}/_history/1").status_code == 200
    for address, detail in (
        ("/Patient/nobody", "not-found"),
        (f"{path}/_history/3", "not-found"),
        (f"{path}/_history/first", "not-found"),
        ("/Spaceship/1", "unknown-type"),
        ("/CarePlan/1", "unknown-type"),
        ("/nowhere/1", "unknown-address"),
    ):
        answer = door.client.get(address)
        assert (answer.status_code, _detail(answer)) == (404, detail), address
    for method, address, methods in (
        ("PATCH", path, "DELETE, GET, HEAD, PUT"),
        ("POST", path, "DELETE, GET, HEAD, PUT"),
        ("PUT", "/Provenance/1", "GET, HEAD"),
        ("DELETE", f"{path}/_history/1", "GET, HEAD"),
        ("GET", "/$correlate", "POST"),
        ("DELETE", "/metadata", "GET, HEAD"),
    ):
        answer = door.client.request(method, address, headers=FHIR_JSON)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods), (method, address)
        assert _detail(answer) == "method-not-allowed"
    assert door.client.request("PATCH", "/Spaceship/1").status_code == 404
