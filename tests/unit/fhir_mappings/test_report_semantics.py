"""What a DiagnosticReport of ours means, on every public case: status, results, conclusion and its code, provenance."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings import canonical
from fhir_mappings.resource_json import dumps
from tests.correlated import correlate_bundle
from tests.examples import CASE_IDS, case_bundle, case_bytes

ISSUED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
US_CORE = "us/core"


def correlated(raw: bytes) -> list[dict[str, Any]]:
    result = correlate_bundle(
        raw, knowledge=load_knowledge(), as_of=date(2026, 11, 1), issued=ISSUED, software_version="test"
    )
    return [entry["resource"] for entry in json.loads(dumps(result.bundle))["entry"]]


@cache
def answer(case_id: str) -> list[dict[str, Any]]:
    return correlated(case_bytes(case_id))


def the_report(case_id: str) -> dict[str, Any]:
    report = answer(case_id)[0]
    if report["resourceType"] != "DiagnosticReport":
        pytest.fail(f"{case_id} has no report")
    return report


WITH_REPORT = [case_id for case_id in CASE_IDS if answer(case_id)[0]["resourceType"] == "DiagnosticReport"]


@pytest.mark.requirement("DR-01", "DR-02")
@pytest.mark.parametrize("case_id", WITH_REPORT)
def test_a_report_starts_preliminary_with_what_a_reader_needs(case_id: str) -> None:
    report = the_report(case_id)
    assert (report["status"], report["code"]["coding"][0]["code"]) == ("preliminary", canonical.REPORT_CODE)
    assert len(report["category"]) == 2
    assert {"subject", "issued", "performer", "result", "presentedForm", "conclusion", "text"} <= report.keys()
    assert any(name.startswith("effective") for name in report)
    assert "resultsInterpreter" not in report
    assert US_CORE not in json.dumps(report.get("meta", {}))


@pytest.mark.requirement("DR-03")
@pytest.mark.parametrize("case_id", WITH_REPORT)
def test_results_are_there_and_studies_are_studies(case_id: str) -> None:
    report = the_report(case_id)
    there = {f"urn:uuid:{one['id']}" for one in answer(case_id) if one["resourceType"] == "Observation"}
    assert [one["reference"] for one in report["result"]] != []
    assert {one["reference"] for one in report["result"]} == there
    studies = {one["type"] for one in report.get("imagingStudy", ())}
    assert studies <= {"ImagingStudy"}
    html, text = report["presentedForm"]
    assert (html["contentType"].partition(";")[0], text["contentType"].partition(";")[0]) == ("text/html", "text/plain")
    assert "<script" not in base64.b64decode(html["data"]).decode().lower()


@pytest.mark.requirement("DR-03", "DR-04")
@pytest.mark.parametrize("case_id", WITH_REPORT)
def test_the_code_of_the_conclusion_is_that_of_the_best_cause_and_never_more(case_id: str) -> None:
    report = the_report(case_id)
    ranked = [
        (coding["code"], one["valueCodeableConcept"]["coding"][0]["code"])
        for one in answer(case_id)
        if one["resourceType"] == "Observation"
        for coding in one["code"]["coding"]
        if coding["system"] == canonical.CAUSE
    ]
    likely = [cause for cause, category in ranked if category in ("probable", "possible")]
    codes = report.get("conclusionCode", [])
    assert [one["coding"][0]["code"] for one in codes] == likely[:1]
    assert all(one["text"] for one in codes)
    names = {cause.id: cause.name for cause in load_knowledge().causes.values()}
    attribution = answer(case_id)[2]["valueCodeableConcept"]["coding"][0]["code"]
    for cause in (one["coding"][0]["code"] for one in codes):
        if attribution in ("explained", "partly"):
            # The conclusion names the very injection; the code says what came of it.
            assert cause.startswith(("filler", "fat_graft"))
            assert "explained" in report["conclusion"]
        elif attribution == "not-applicable":
            assert cause == "no_target_finding"
        else:
            assert names[cause].lower() in report["conclusion"].lower()


@pytest.mark.requirement("DR-04")
def test_every_snomed_code_that_is_written_is_one_that_was_verified() -> None:
    verified = {
        code.code for region in load_knowledge().regions.values() for code in region.snomed_codes if code.source
    }
    written = {
        code for case_id in CASE_IDS for one in answer(case_id)[:1] + answer(case_id)[2:] for code in _snomed(one)
    }
    assert written
    assert written <= verified


def _snomed(value: Any) -> set[str]:
    if isinstance(value, list):
        return {code for item in value for code in _snomed(item)}
    if isinstance(value, dict):
        own = {value["code"]} if value.get("system") == canonical.SNOMED else set()
        return own | {code for item in value.values() for code in _snomed(item)}
    return set()


@pytest.mark.requirement("PV-01")
@pytest.mark.parametrize("case_id", WITH_REPORT)
def test_every_input_is_named_by_version_or_hash(case_id: str) -> None:
    (provenance,) = [one for one in answer(case_id) if one["resourceType"] == "Provenance"]
    assert provenance["recorded"]
    sources = [one["what"] for one in provenance["entity"] if one["role"] == "source"]
    assert sources
    assert all("/_history/" in one["reference"] or one["identifier"]["value"] for one in sources)
    agents = {agent["type"]["coding"][0]["code"]: agent["who"]["reference"] for agent in provenance["agent"]}
    (device,) = [one for one in answer(case_id) if one["resourceType"] == "Device" and "version" in one]
    assert agents["assembler"] == f"urn:uuid:{device['id']}"
    assert "author" in agents


@pytest.mark.requirement("OP-06")
@pytest.mark.parametrize("kind", ["searchset", "collection"])
def test_what_everything_gives_is_taken_as_it_is(kind: str) -> None:
    bundle = {**case_bundle("V01"), "type": kind}
    if kind == "searchset":
        bundle["total"] = len(bundle["entry"])
        bundle["link"] = [{"relation": "self", "url": "https://ehr.example.org/fhir/Patient/1/$everything"}]
        bundle["entry"] = [
            {key: value for key, value in one.items() if key != "request"} | {"search": {"mode": "match"}}
            for one in bundle["entry"]
        ]
    report = correlated(dumps(bundle))[0]
    assert report["conclusion"] == the_report("V01")["conclusion"]
