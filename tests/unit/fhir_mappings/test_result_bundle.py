import base64
import hashlib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from correlation.assessment import Assessment, Attribution, Category
from correlation.timeline import ResourceRef, Withheld
from fhir_mappings import canonical
from fhir_mappings.code_systems import code_system_resources
from fhir_mappings.issues import Issue
from fhir_mappings.own_output import is_own_output
from fhir_mappings.result_bundle import WrittenResult, as_collection, no_report_collection, write_result
from fhir_mappings.timeline import KeptResource, Mapped
from tests.builders import unseen
from tests.servers.hapi import HapiValidator
from tests.unit.fhir_mappings.assessments import (
    CAHA,
    CALCIUM,
    CT,
    CT_REPORT,
    DEVICE,
    DIGEST,
    FIRST,
    PHPT,
    REPORT_ID,
    SECOND,
    identity,
    knowledge,
    published,
    without_target_finding,
)
from tests.unit.fhir_mappings.validity import assert_valid

INPUTS = (FIRST, SECOND, CT, CT_REPORT, CALCIUM, DEVICE)
GUESSED = Issue(
    severity="information", code="informational", detail="no-unit", text="Send the unit.", expression=("Observation",)
)
RESTRICTED = {"system": canonical.CONFIDENTIALITY, "code": "R"}
LABELLED = KeptResource(
    reference="Procedure/p",
    resource={"resourceType": "Procedure", "meta": {"security": [RESTRICTED]}},
    version=None,
    sha256="",
    entry_index=None,
)
PATIENT = {"resourceType": "Patient", "id": "587", "gender": "female"}


def urn(type_: str, id_: str) -> str:
    return f"urn:uuid:{id_}"


def stored(type_: str, id_: str) -> str:
    return f"{type_}/{id_}"


def address(type_: str, id_: str) -> str:
    return f"http://127.0.0.1:8080/fhir/{type_}/{id_}"


def mapped(assessment: Assessment, *issues: Issue) -> Mapped:
    return Mapped(timeline=assessment.timeline, issues=issues, patient=PATIENT, inputs=INPUTS)


def write(assessment: Assessment, **options: Any) -> WrittenResult:
    given: dict[str, Any] = {
        "mapped": mapped(assessment, GUESSED),
        "identity": identity(),
        "own_reference": stored,
        "patient_reference": "Patient/587",
        "software_version": "0.1.0",
        "read": (LABELLED,),
        **options,
    }
    return write_result(assessment, knowledge(), **given)


def of_type(written: WrittenResult, type_: str) -> list[dict[str, Any]]:
    return [resource for resource in written.resources if resource["resourceType"] == type_]


def codes(observation: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in observation["code"]["coding"]]


def test_every_resource_is_valid_r4(hapi_validator: HapiValidator) -> None:
    for assessment in (published(), without_target_finding()):
        for own_reference in (urn, stored):
            written = write(assessment, own_reference=own_reference)
            full_url = urn if own_reference is urn else address
            patient_url = f"urn:uuid:{REPORT_ID[:-1]}0" if own_reference is urn else None
            collection = as_collection(written, PATIENT, full_url=full_url, patient_full_url=patient_url)
            assert_valid((*written.resources, collection), hapi_validator)
    assert_valid(code_system_resources(knowledge()), hapi_validator)


def test_entries_stand_in_the_contracts_order() -> None:
    collection = as_collection(write(published()), PATIENT, full_url=address)
    types = [entry["resource"]["resourceType"] for entry in collection["entry"]]
    assert types == [
        "DiagnosticReport",
        "Patient",
        *["Observation"] * 4,
        "Provenance",
        "Device",
        "Organization",
        "OperationOutcome",
    ]
    assert collection["entry"][1]["resource"] is PATIENT
    assert collection["entry"][0]["fullUrl"] == address("DiagnosticReport", REPORT_ID)


def test_no_outcome_without_issues() -> None:
    written = write(published(), mapped=mapped(published()))
    assert written.outcome is None


@pytest.mark.requirement("DR-01", "DR-02")
def test_report_has_every_element_of_the_contract() -> None:
    report = write(published()).resources[0]
    assert report["identifier"] == [{"system": "https://fillertrace.example/fhir/report", "value": REPORT_ID}]
    assert report["status"] == "preliminary"
    assert [category["coding"][0]["code"] for category in report["category"]] == ["correlation", "OTH"]
    assert report["code"]["coding"][0]["code"] == "filler-calcification-correlation"
    assert report["effectivePeriod"] == {"start": "2018-10-01", "end": "2019-11-30"}
    assert report["imagingStudy"] == [{"reference": "ImagingStudy/ct", "type": "ImagingStudy"}]
    assert report["meta"]["security"] == [RESTRICTED]
    assert report["meta"]["tag"][0]["code"] == "own-output"
    assert report["conclusionCode"][0]["coding"][0]["code"] == "filler_caha"
    assert [extension["valueString"] for extension in report["extension"]] == ["2026.1", DIGEST]
    assert report["text"]["status"] == "generated"


def test_result_order_is_attribution_causes_findings_alerts() -> None:
    written = write(published())
    observations = of_type(written, "Observation")
    assert [codes(item)[0] for item in observations] == [
        "filler-attribution",
        "filler_caha",
        "finding-attribution",
        "alert",
    ]
    report = written.resources[0]
    assert [item["reference"] for item in report["result"]] == [f"Observation/{item['id']}" for item in observations]


def test_caha_is_shown_last_when_unlikely_and_unranked_causes_are_not() -> None:
    unlikely = replace(CAHA, category=Category.UNLIKELY)
    possible = replace(PHPT, category=Category.POSSIBLE)
    written = write(replace(published(), differential=(possible, unlikely, replace(PHPT, cause="sarcoid"))))
    assert [codes(item)[0] for item in of_type(written, "Observation")[1:3]] == ["phpt", "filler_caha"]
    assert written.resources[0]["conclusionCode"][0]["coding"][0]["code"] == "phpt"


def test_every_observation_says_who_when_and_by_what() -> None:
    for assessment in (published(), without_target_finding()):
        for observation in of_type(write(assessment), "Observation"):
            assert observation["status"] == "preliminary"
            assert observation["subject"]["reference"] == "Patient/587"
            assert "effectivePeriod" in observation or "effectiveDateTime" in observation
            assert observation["performer"][0]["reference"] == f"Organization/{canonical.ORGANIZATION_ID}"
            assert observation["device"]["reference"].startswith("Device/")
            assert observation["code"]["text"]
            assert "dataAbsentReason" not in observation


def test_components_carry_question_reply_strength_and_evidence() -> None:
    cause = of_type(write(published()), "Observation")[1]
    first, second, third = cause["component"]
    assert first["code"]["coding"][0] == {
        "system": canonical.QUESTION,
        "code": "injected_before_finding",
        "display": "injected before finding",
    }
    assert [item["valueCodeableConcept"]["coding"][0]["code"] for item in cause["component"]] == [
        "yes",
        "no",
        "not-known",
    ]
    assert first["extension"][0] == {"url": canonical.ANSWER_STRENGTH, "valueCode": "strong-for"}
    evidence = [item["valueReference"]["reference"] for item in first["extension"][1:]]
    assert evidence == [FIRST.reference, SECOND.reference]
    assert [item["reference"] for item in cause["derivedFrom"]] == ["ImagingStudy/ct", "Observation/calcium"]
    assert len(second["extension"]) == 1
    assert len(third["extension"]) == 1


def test_finding_names_its_site_in_three_ways() -> None:
    finding = of_type(write(published()), "Observation")[2]
    assert finding["bodySite"] == {
        "coding": [
            {"system": canonical.BODY_SITE, "code": "cheek", "display": "Cheek"},
            {"system": canonical.SNOMED, "code": "60819002", "display": "cheek"},
        ],
        "text": "cheek, left and right",
    }
    assert finding["effectivePeriod"] == {"start": "2019-10-15", "end": "2019-11-30"}


@pytest.mark.requirement("DR-03")
def test_presented_forms_match_their_hash_and_size() -> None:
    html, text = write(published()).resources[0]["presentedForm"]
    for form in (html, text):
        data = base64.b64decode(form["data"])
        assert form["size"] == len(data)
        assert base64.b64decode(form["hash"]) == hashlib.sha1(data, usedforsecurity=False).digest()
    assert (html["contentType"], text["contentType"]) == ("text/html", "text/plain")


def test_ids_are_the_same_in_all_versions_but_the_provenances() -> None:
    first, second = write(published()), write(published(), identity=identity(version=2, status="amended"))
    ids = [{(item["resourceType"], item["id"]) for item in written.resources} for written in (first, second)]
    assert {type_ for type_, _ in ids[0] ^ ids[1]} == {"Provenance"}


@pytest.mark.requirement("PV-01")
def test_provenance_names_version_agents_and_each_input_once() -> None:
    (provenance,) = of_type(write(published(), revision_of="old", identity=identity(version=3)), "Provenance")
    assert provenance["target"] == [{"reference": f"DiagnosticReport/{REPORT_ID}/_history/3"}]
    assert [agent["type"]["coding"][0]["code"] for agent in provenance["agent"]] == ["assembler", "author"]
    assert provenance["entity"][0] == {"role": "revision", "what": {"reference": "DiagnosticReport/old"}}
    sources = [entity["what"] for entity in provenance["entity"][1:]]
    assert len(sources) == len(INPUTS) - 1  # the contained device is within its procedure
    # A urn has no versions, so its hash tells which content was read.
    assert sources[0] == {
        "reference": FIRST.reference,
        "type": "Procedure",
        "identifier": {"system": canonical.SHA256_IDENTIFIER, "value": "a" * 64},
    }
    assert sources[1]["reference"] == "Procedure/second/_history/1"


@pytest.mark.requirement("PV-01")
def test_device_holds_versions_and_digest_and_changes_with_them() -> None:
    device = of_type(write(published()), "Device")[0]
    assert [item["value"] for item in device["version"]] == ["0.1.0", "2026.1"]
    assert device["property"][0]["valueCode"] == [{"text": DIGEST}]
    assert of_type(write(published(), software_version="0.2.0"), "Device")[0]["id"] != device["id"]


def test_everything_we_write_is_known_as_ours() -> None:
    assert all(is_own_output(resource) for resource in write(published()).resources)


def test_changed_after_signature_is_said_first_everywhere() -> None:
    words = "Changed by software on 2026-03-04 after signature; not yet reviewed."
    written = write(
        published(), changed_after_signature=date(2026, 3, 4), identity=identity(version=2, status="amended")
    )
    assert written.resources[0]["conclusion"].startswith(words)
    assert words in written.html
    assert words in " ".join(written.text.split())
    assert written.resources[0]["status"] == "amended"
    assert "resultsInterpreter" not in written.resources[0]


def test_digest_follows_facts_and_answers_only() -> None:
    same = write(published()).content_digest
    moved = replace(CT, version="9", sha256="f" * 64)
    exams = tuple(replace(exam, source=moved) if exam.source == CT else exam for exam in published().timeline.exams)
    rerun = replace(
        published(),
        edition="2027.1",
        digest="9" * 64,
        timeline=replace(published().timeline, exams=exams),
        as_of=date(2026, 1, 1),
    )
    assert write(rerun, identity=identity(version=5)).content_digest == same
    shuffled = replace(published().timeline, labs=published().timeline.labs[::-1])
    assert write(replace(published(), timeline=shuffled)).content_digest == same
    fewer = replace(published().timeline, labs=())
    assert write(replace(published(), timeline=fewer)).content_digest != same
    assert write(replace(published(), attribution=Attribution.PARTLY)).content_digest != same


def test_digest_follows_what_was_withheld() -> None:
    def digest(*withheld: Withheld) -> str:
        return write(replace(published(), timeline=replace(published().timeline, withheld=withheld))).content_digest

    hidden = unseen("medicines")
    others = {digest(), digest(hidden), digest(unseen("medicines", "masked")), digest(hidden, unseen("conditions"))}
    assert len(others) == 4
    assert digest(hidden, unseen("conditions")) == digest(unseen("conditions"), hidden)


def test_no_finding_to_explain() -> None:
    report = write(without_target_finding()).resources[0]
    assert "effectivePeriod" not in report
    assert "imagingStudy" not in report  # the exam is known from its report alone
    assert report["conclusionCode"][0]["coding"][0]["code"] == "no_target_finding"


def test_no_imaging_gives_no_report(hapi_validator: HapiValidator) -> None:
    assessment = replace(published(), attribution=None)
    collection = no_report_collection(assessment, knowledge(), mapped=mapped(assessment), full_url=address)
    assert [entry["resource"]["resourceType"] for entry in collection["entry"]] == ["OperationOutcome", "Patient"]
    details = [issue["details"]["coding"][0]["code"] for issue in collection["entry"][0]["resource"]["issue"]]
    assert details == ["alert-without-report", "no-imaging"]
    assert "Two dates" not in str(collection)
    assert_valid([collection], hapi_validator)
    with pytest.raises(ValueError, match="without imaging"):
        write(assessment)


def test_a_record_full_of_markup_stays_words(hapi_validator: HapiValidator) -> None:
    nasty = '<script>alert("1")</script> & \x0b \ud7ff'
    finding = replace(published().findings[0], because=nasty)
    answers = (replace(CAHA.answers[0], because=nasty, evidence=(ResourceRef(type="Device", reference="#x"),)),)
    assessment = replace(
        published(), findings=(finding,), conclusion=f"Said {nasty}", differential=(replace(CAHA, answers=answers),)
    )
    written = write(assessment)
    assert "<script" not in written.html
    assert "<script" not in written.resources[0]["text"]["div"]
    errors = [
        item
        for item in hapi_validator.validate(
            {"resourceType": "Basic", "code": {"text": "x"}, "text": written.resources[0]["text"]}
        )
        if item.is_error
    ]
    assert errors == []
