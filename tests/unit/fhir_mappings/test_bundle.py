"""Refusals and issues of a received body (contract, section 7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.bundle import BundleRejected, parse_bundle, parse_correlate_body
from fhir_mappings.limits import DEFAULT_LIMITS, Limits
from fhir_mappings.resource_json import dumps, loads
from tests.unit.fhir_mappings.reading import PATIENT, SUBJECT, bundle, details, lab, mapped, procedure, study


def refusal(raw: bytes, *, limits: Limits = DEFAULT_LIMITS) -> tuple[int, str]:
    with pytest.raises(BundleRejected) as caught:
        parse_bundle(raw, limits=limits)
    return caught.value.status, caught.value.issues[0].detail


@pytest.mark.parametrize("raw", [b"", b"no", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"n": ' + b"9" * 5000 + b"}"])
def test_not_json(raw: bytes) -> None:
    assert refusal(raw) == (400, "not-json")


@pytest.mark.parametrize("depth", [100, 100_000])
def test_too_deep(depth: int) -> None:
    assert refusal(b'{"a":' * depth + b"1" + b"}" * depth) == (400, "too-deep")


def test_too_large() -> None:
    assert refusal(bundle(PATIENT), limits=Limits(bytes=10)) == (413, "too-large")
    assert refusal(bundle(PATIENT, PATIENT), limits=Limits(entries=1)) == (413, "too-large")


@pytest.mark.parametrize("raw", [b"[]", b'{"resourceType": "Patient"}', b'{"resourceType": "Bundle", "entry": 3}'])
def test_not_a_bundle(raw: bytes) -> None:
    assert refusal(raw) == (422, "not-a-bundle")


def test_empty_and_nobodys() -> None:
    assert refusal(b'{"resourceType": "Bundle", "type": "collection"}') == (422, "empty-bundle")
    assert refusal(bundle({"resourceType": "Organization"})) == (422, "no-patient")


R5_STUDY = study(series=[{"uid": "1", "modality": {"coding": [{"code": "CT"}]}}])


@pytest.mark.parametrize(
    "resource",
    [
        {**PATIENT, "meta": {"profile": ["http://hl7.org/fhir/5.0/StructureDefinition/Patient"]}},
        {**PATIENT, "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/Patient|3.0.2"]}},
        {"resourceType": "Procedure", "status": "completed", "subject": SUBJECT, "occurrenceDateTime": "2018"},
        {
            "resourceType": "MedicationStatement",
            "status": "recorded",
            "subject": SUBJECT,
            "medication": {"concept": {}},
        },
        R5_STUDY,
        {
            "resourceType": "Procedure",
            "status": "completed",
            "subject": SUBJECT,
            "context": {"reference": "Encounter/1"},
        },
        {"resourceType": "Observation", "status": "final", "subject": SUBJECT, "context": {"reference": "Encounter/1"}},
        {"resourceType": "DiagnosticReport", "status": "final", "subject": SUBJECT, "codedDiagnosis": []},
        {"resourceType": "Condition", "clinicalStatus": "active", "subject": SUBJECT},
    ],
)
def test_other_versions_are_recognised(resource: dict[str, Any]) -> None:
    assert refusal(bundle(PATIENT, resource)) == (422, "fhir-version")


def test_one_stray_field_of_another_version_does_not_reject() -> None:
    found = mapped(
        procedure(), procedure(id="g", performedDateTime="2019", context={"reference": "Encounter/1"}, encounter={})
    )
    assert len(found.timeline.injections) == 2
    assert details(found)["unknown-field"] == "Bundle.entry[2].resource.context"


def test_a_profile_version_is_no_fhir_version() -> None:
    profile = {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|5.0.1"]}
    assert parse_bundle(bundle({**PATIENT, "meta": profile})).entries


@pytest.mark.requirement("OP-06")
@pytest.mark.parametrize("kind", ["collection", "searchset", "transaction", "batch", "document", "history", "message"])
def test_every_type_of_bundle_is_taken(kind: str) -> None:
    assert parse_bundle(bundle(PATIENT, kind=kind)).type == kind


def test_unknown_types_and_empty_entries_are_named() -> None:
    raw = dumps(
        {"resourceType": "Bundle", "entry": [{"resource": PATIENT}, {"resource": {"resourceType": "Nope"}}, {}]}
    )
    found = {issue.detail: issue.expression for issue in parse_bundle(raw).issues}
    assert found["unknown-type"] == ("Bundle.entry[1].resource",)
    assert found["no-resource"] == ("Bundle.entry[2]",)
    assert found["invalid-element"] == ("Bundle.type",)


def test_duplicate_keys_are_named_by_path_and_the_last_counts() -> None:
    patient = b'{"resourceType":"Patient","id":"a","id":"b"}'
    raw = b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":' + patient + b"}]}"
    parsed = parse_bundle(raw)
    assert parsed.issues[0].expression == ("Bundle.entry[0].resource.id",)
    assert (parsed.entries[0].resource or {})["id"] == "b"


def test_numbers_keep_their_digits() -> None:
    assert loads(b"2.350") == Decimal("2.350")
    assert dumps(loads(b'{"a":2.350,"b":1}')) == b'{"a":2.350,"b":1}'
    assert loads(dumps({"a": "\ud800"})) == {"a": "\ud800"}


def test_parameters_are_unwrapped() -> None:
    inner = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    body = [{"name": "bundle", "resource": inner}, {"name": "store", "valueBoolean": False}]
    read = parse_correlate_body(dumps({"resourceType": "Parameters", "parameter": body}))
    assert (read.store, read.bundle is not None) == (False, True)


def test_a_mistyped_store_is_refused() -> None:
    body = [{"name": "store", "valueString": "false"}]
    with pytest.raises(BundleRejected):
        parse_correlate_body(dumps({"resourceType": "Parameters", "parameter": body}))


def test_references_that_lead_nowhere_or_in_a_circle() -> None:
    one = lab(id="a", derivedFrom=[{"reference": "Observation/b"}])
    other = lab(id="b", derivedFrom=[{"reference": "Observation/a"}], encounter={"reference": "Encounter/9"})
    found = mapped(one, other, procedure(usedReference=[{"reference": "Device/none"}]))
    by_detail = {(issue.detail, issue.severity): issue.expression for issue in found.issues}
    assert by_detail["circular-reference", "warning"] == ("Bundle.entry[1].resource", "Bundle.entry[2].resource")
    assert by_detail["dangling-reference", "warning"] == ("Bundle.entry[3].resource.usedReference[0]",)
    assert by_detail["dangling-reference", "information"] == ("Bundle.entry[2].resource.encounter",)
    assert len(found.timeline.labs) == 2


@pytest.mark.parametrize(
    "broken", [{"status": []}, {"code": 3}, {"code": {"coding": "x"}}, {"bodySite": [[]]}, {"note": {"text": {}}}]
)
def test_wrong_shapes_never_cost_the_rest(broken: dict[str, Any]) -> None:
    found = mapped(
        procedure(), procedure(id="x", **broken), lab(), lab(id="y", **broken), study(), study(id="z", **broken)
    )
    assert found.timeline.injections
    assert found.timeline.labs
    assert found.timeline.exams


def test_no_issue_holds_a_value_of_the_record() -> None:
    marked = {"text": "canary radiesse filler", "coding": [{"code": "canary", "display": "canary"}]}
    found = mapped(
        procedure(code=marked, performedDateTime="canary", canary="canary"),
        lab(valueQuantity={"value": 1, "unit": "canary"}),
        study(started="canary", series=[]),
        {"resourceType": "canary canary", "subject": SUBJECT},
    )
    assert found.issues
    assert not any("canary" in issue.text for issue in found.issues)
