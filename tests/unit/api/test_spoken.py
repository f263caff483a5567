"""A report in the language that the client prefers: other words, the same answers, version and signature."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from starlette.requests import Request

from api.spoken import language_of
from correlation.knowledge_base import load_knowledge
from tests.unit.api.service import FHIR_JSON, Door, case

SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
DOCTOR = [{"display": "Dr A"}]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("ES-mx;q=0.3", "es"),
        ("en, es;q=0.9", "en"),
        ("es;q=0.1, en;q=0.7", "en"),
        ("fr, es;q=0.2", "es"),
        ("es;q=0", "en"),
        ("es;q=nonsense", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("fr, *;q=0.5, es;q=0.1", "en"),
        ("", "en"),
        (";;,,", "en"),
    ],
)
def test_the_language_that_is_preferred(header: str, language: str) -> None:
    request = Request({"type": "http", "headers": [(b"accept-language", header.encode())]})
    assert language_of(request, load_knowledge()) == language


def _worksheets(report: dict[str, Any]) -> list[str]:
    return [b64decode(form["data"]).decode() for form in report["presentedForm"]]


def test_a_report_is_read_in_spanish_and_stays_stored_in_english(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    address = f"/DiagnosticReport/{report['id']}"
    english, spanish = door.client.get(address), door.client.get(address, headers=SPANISH)
    assert (english.headers["Content-Language"], spanish.headers["Content-Language"]) == ("en", "es")
    assert all("accept-language" in answer.headers["Vary"].lower() for answer in (english, spanish))
    assert english.headers["ETag"] == spanish.headers["ETag"]
    told, said = english.json(), spanish.json()
    assert (told["language"], said["language"]) == ("en", "es")
    assert told == report
    assert said["meta"] == told["meta"]
    assert said["conclusion"].startswith("Los depósitos descritos en TC de 2019-10-15")
    assert {form["language"] for form in said["presentedForm"]} == {"es"}
    page, text = _worksheets(said)
    assert '<html lang="es">' in page
    assert "HOJA DE TRABAJO DE FILLERTRACE" in text
    assert said["conclusionCode"][0]["coding"] == told["conclusionCode"][0]["coding"]  # displays stay English
    assert said["conclusionCode"][0]["text"] == "Relleno de hidroxiapatita de calcio"
    assert door.client.get(address).json() == told
    version = door.client.get(f"{address}/_history/1", headers=SPANISH)
    assert version.json()["conclusion"] == said["conclusion"]
    known = door.client.get(address, headers={**SPANISH, "If-None-Match": spanish.headers["ETag"]})
    assert known.status_code == 304
    assert "accept-language" in known.headers["Vary"].lower()


@pytest.mark.parametrize("interpreter", [DOCTOR, [{"display": "Dra. B"}]])
def test_what_was_read_in_spanish_can_be_signed(door: Door, interpreter: list[dict[str, str]]) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    address = f"/DiagnosticReport/{report['id']}"
    read = door.client.get(address, headers=SPANISH)
    signed = {**read.json(), "status": "final", "resultsInterpreter": interpreter}
    headers = {**FHIR_JSON, "If-Match": read.headers["ETag"]}
    forged = door.client.put(address, content=json.dumps({**signed, "conclusion": "Otra cosa."}), headers=headers)
    assert forged.status_code == 422
    assert forged.json()["issue"][0]["expression"] == ["DiagnosticReport.conclusion"]
    done = door.client.put(address, content=json.dumps(signed), headers=headers)
    assert done.status_code == 200, done.text
    stored = door.client.get(address).json()
    assert (stored["status"], stored["resultsInterpreter"]) == ("final", interpreter)
    assert (stored["language"], stored["conclusion"]) == ("en", report["conclusion"])
    spoken = door.client.get(address, headers=SPANISH).json()
    assert (spoken["language"], spoken["status"], spoken["resultsInterpreter"]) == ("es", "final", interpreter)


def test_correlate_answers_in_spanish_with_and_without_a_record(door: Door) -> None:
    body = json.loads(case("V01"))
    once = {
        "resourceType": "Parameters",
        "parameter": [{"name": "bundle", "resource": body}, {"name": "store", "valueBoolean": False}],
    }
    answer = door.client.post("/$correlate", content=json.dumps(once), headers={**FHIR_JSON, **SPANISH})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Language"] == "es"
    assert answer.json()["entry"][0]["resource"]["language"] == "es"
    door.correlate(case("V01"))
    kept = door.client.post("/$correlate", content=case("V01"), headers={**FHIR_JSON, **SPANISH})
    assert kept.status_code == 200, kept.text
    assert kept.headers["Content-Language"] == "es"
    entries = [entry["resource"] for entry in kept.json()["entry"]]
    assert entries[0]["conclusion"].startswith("Los depósitos descritos")
    causes = [one for one in entries if one["resourceType"] == "Observation" and one.get("component")]
    assert causes
    for cause in causes:
        assert cause["code"]["text"].startswith("Causa posible: ")
        assert all(part["code"]["text"].endswith(("?", ".")) for part in cause["component"])
        assert any("¿" in part["code"]["text"] for part in cause["component"])
    assert not [one for one in entries if one["resourceType"] == "OperationOutcome" and one.get("language") == "es"]
