"""What scopes and labels hide of a record shows in no answer; the report says which classes it had to do without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_mappings.resource_json import dumps
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import bearer, guarded_door, smart_settings
from tests.unit.api.access.neighbours import LABORATORY, Neighbour, neighbour, readable, record_of
from tests.unit.api.service import FHIR_JSON, Door, running_door

DATED = ("performedDateTime", "started", "effectiveDateTime")
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
TYPES = ("Patient", "Procedure", "ImagingStudy", "DiagnosticReport", "Observation", "Condition")
ALL_TYPES = " ".join(
    f"system/{type_}.rs"
    for type_ in (
        *TYPES,
        "Device",
        "DeviceUseStatement",
        "Specimen",
        "AllergyIntolerance",
        "Encounter",
        "MedicationStatement",
        "MedicationRequest",
        "MedicationAdministration",
        "Medication",
    )
)


def marked(value: Any, word: str, key: str = "") -> Any:
    """The same content with a word in every text."""
    if isinstance(value, dict):
        return {name: marked(item, word, name) for name, item in value.items()}
    if isinstance(value, list):
        return [marked(item, word, key) for item in value]
    texts = {"text", "conclusion", "description", "family", "valueString", "display"}
    return f"{value} {word}" if isinstance(value, str) and key in texts else value


def filled(resource: dict[str, Any], word: str, figure: str) -> dict[str, Any]:
    """The same resource with a word or a figure in every further field that any resource may have."""
    more = {
        "identifier": [{"system": f"https://{word}.example/number", "value": word}],
        "extension": [
            {"url": f"https://{word}.example/extension", "valueString": word},
            {"url": "https://ehr.example/extension", "valueDecimal": Decimal(figure)},
        ],
        "contained": [{"resourceType": "Basic", "id": word, "code": {"text": word}}],
        "text": {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{word}</div>'},
        "note": [{"authorString": word, "text": word}],
        "meta": {"source": f"https://{word}.example", "tag": [{"system": f"https://{word}.example", "code": word}]},
    }
    return {**more, **resource, "extension": more["extension"], "note": more["note"]}


def words_in(record: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Mark each resource with a word, a figure and a day of its own; those by the address of the resource."""
    words = {}
    for number, entry in enumerate(record["entry"]):
        word, figure, day = f"canary{number:02d}", f"9.4{number}137", f"-{10 + number}"
        resource = filled(marked(entry["resource"], word), word, figure)
        if "valueQuantity" in resource:
            resource["valueQuantity"]["value"] = Decimal(figure)
        days = [name for name in DATED if name in resource]
        for name in days:
            resource[name] = resource[name][:7] + day
        entry["resource"] = resource
        words[entry["fullUrl"]] = (word, figure, *(resource[name] for name in days))
    return words


class House:
    """One patient behind a running door, and what stands in each of their resources and nowhere else."""

    def __init__(self, door: Door, server: TokenServer, record: dict[str, Any]) -> None:
        self.door, self.server = door, server
        self.words = words_in(record)
        system = bearer(server.token(client_id="loader"))
        headers = {**FHIR_JSON, "Prefer": "respond-async", **system}
        sent = door.client.post("/$correlate", content=dumps(record), headers=headers)
        door.run(sent.headers["Content-Location"].rsplit("/", 1)[1])
        self.patient: Neighbour = neighbour(door, 0)

    def get(self, path: str, scopes: str, **headers: str) -> httpx.Response:
        return self.door.client.get(path, headers={**headers, **bearer(self.server.token(scope=scopes))})

    def report(self, scopes: str) -> dict[str, Any]:
        answer = self.get(f"/DiagnosticReport/{self.patient.report_id}", scopes)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    with guarded_door(folder, redis_server.url, requests_per_minute=0) as (door, server):
        yield House(door, server, record_of(0))


def hidden_words(house: House, scopes: set[str]) -> set[str]:
    """What stands in what these scopes do not let one see, told apart from how the service does it."""
    hidden = set()
    for url, words in house.words.items():
        type_ = url.rsplit("/", 2)[1]
        if f"system/{type_}.rs" in scopes or type_ == "Practitioner":
            continue
        if url.endswith("-ca") and f"system/Observation.rs?category={LABORATORY}" in scopes:
            continue
        hidden.update(words)
    return hidden


SOME = st.sets(
    st.sampled_from([*(f"system/{type_}.rs" for type_ in TYPES), f"system/Observation.rs?category={LABORATORY}"])
)


@pytest.mark.requirement("SM-05")
def test_no_answer_holds_a_word_of_what_is_hidden(house: House) -> None:
    one = house.patient
    seen_something = set()

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(SOME, st.integers(0, 10_000))
    def holds(scopes: set[str], pick: int) -> None:
        paths = [
            f"/DiagnosticReport/{one.report_id}",
            f"/DiagnosticReport/{one.report_id}/_history",
            f"/DiagnosticReport/{one.report_id}/_history/1",
            f"/DiagnosticReport/{one.report_id}/$explain",
            f"/DiagnosticReport?patient={one.id}&_include=DiagnosticReport:result&_revinclude=Provenance:target",
            f"/Patient?_id={one.id}&_revinclude=Observation:patient&_revinclude=DiagnosticReport:patient",
            *(f"/{type_}?patient={one.id}" for type_ in TYPES[1:]),
            *(f"/{type_}/{identity}" for type_, ids in one.ids.items() for identity in ids),
        ]
        granted = " ".join(sorted(scopes))
        hidden = hidden_words(house, scopes)
        for path in (*paths[:6], paths[6 + pick % (len(paths) - 6)]):
            answer = house.get(path, granted)
            assert answer.status_code in {200, 403, 404, 422}, answer.text
            text = readable(answer.text)
            assert sorted(word for word in hidden if word in text) == [], path
            seen_something.update(word for words in house.words.values() for word in words if word in text)

    holds()
    asked_for = {word for url, words in house.words.items() if "/Practitioner/" not in url for word in words}
    assert seen_something >= asked_for, "what may be seen is seen, or this shows nothing"


@pytest.mark.requirement("SM-05")
def test_a_report_says_what_it_had_to_do_without_and_claims_less(house: House) -> None:
    whole = house.report("system/*.rs")
    part = house.report(
        f"system/Patient.rs system/Procedure.rs system/ImagingStudy.rs system/DiagnosticReport.rs "
        f"system/Observation.rs?category={LABORATORY}"
    )
    assert "likely explained" in whole["conclusion"]
    assert "likely explained" not in part["conclusion"]
    text = json.dumps(part, ensure_ascii=False)
    assert "conditions" in part["conclusion"]
    assert "only a part" in text
    codes = {label["code"] for label in part["meta"]["security"]}
    assert "REDACTED" in codes
    assert part["id"] == whole["id"]


def test_an_explanation_of_a_part_claims_no_comparison_with_what_is_stored(house: House) -> None:
    path = f"/DiagnosticReport/{house.patient.report_id}/$explain"
    names = {
        scopes: [one["name"] for one in house.get(path, scopes).json()["parameter"]]
        for scopes in ("system/*.rs", "system/DiagnosticReport.rs system/ImagingStudy.rs system/Observation.rs")
    }
    assert ["reproduced" in found for found in names.values()] == [True, False]
    assert all("explainedBy" in found for found in names.values())


def test_whoever_sees_all_evidence_sees_the_report_as_it_is_stored(house: House) -> None:
    assert house.report(ALL_TYPES) == house.report("system/*.cruds")


def test_a_part_of_a_report_is_never_signed_nor_shown_as_signed(house: House) -> None:
    person = bearer(
        house.server.token(scope="user/DiagnosticReport.cruds user/ImagingStudy.rs", fhir_user="Practitioner/1")
    )
    path = f"/DiagnosticReport/{house.patient.report_id}"
    read = house.door.client.get(path, headers=person)
    body = {**read.json(), "status": "final", "resultsInterpreter": [{"reference": "Practitioner/1"}]}
    headers = {**FHIR_JSON, **person, "If-Match": read.headers["ETag"]}
    assert house.door.client.put(path, json=body, headers=headers).status_code == 403


def test_where_nothing_can_be_shown_the_way_out_is_said(house: House) -> None:
    answer = house.get(f"/Observation/{house.patient.ids['Observation'][-1]}", "system/Observation.c system/Patient.rs")
    assert answer.status_code == 403
    answer = house.get(f"/DiagnosticReport/{house.patient.report_id}/$explain", "system/Task.r")
    assert answer.status_code == 403


def test_what_is_labelled_as_more_confidential_is_hidden_and_named(tmp_path: Path, redis_server: RedisServer) -> None:
    record = record_of(0)
    secret = next(entry for entry in record["entry"] if entry["fullUrl"].endswith("Condition/0-c"))
    secret["resource"]["meta"] = {"security": [{"system": CONFIDENTIALITY, "code": "V"}]}
    with TokenServer() as server:
        for most, seen in (("R", False), ("V", True)):
            folder = tmp_path / most
            folder.mkdir()
            with running_door(folder, redis_server.url, most_confidential=most, **smart_settings(server)) as door:
                house = House(door, server, json.loads(json.dumps(record)))
                word = house.words[secret["fullUrl"]][0]
                report = house.report("system/*.rs")
                found = house.get(f"/Condition?patient={house.patient.id}", "system/*.rs")
                assert (word in found.text) is seen
                assert found.json()["total"] == int(seen)
                count = house.get(f"/Condition?patient={house.patient.id}&_summary=count", "system/*.rs")
                assert count.json()["total"] == int(seen)
                (condition,) = house.patient.ids["Condition"]
                read = house.get(f"/Condition/{condition}", "system/*.rs")
                assert read.status_code == (200 if seen else 404)
                labels = (
                    {label["code"] for label in report["meta"]["security"]} if "security" in report["meta"] else set()
                )
                assert labels == ({"V"} if seen else {"REDACTED"})
                assert ("more confidential" in json.dumps(report)) is not seen
                assert word not in readable(json.dumps(report)) or seen
