import json
from typing import Any

from admission.incoming import Intake, intake_from
from admission.rewriting import rewrite_references
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.patient_groups import sort_by_patient

BASE = "http://127.0.0.1:8080/fhir"
PATIENT = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "https://a.example/mrn", "value": "1"}]}


def _intake(*entries: dict[str, Any], held: bool = False, **options: bool) -> Intake:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}
    parsed = parse_bundle(json.dumps(bundle).encode())
    return intake_from(parsed, sort_by_patient(parsed), base_url=BASE, held=lambda type_, identity: held, **options)


def _entry(full_url: str | None, **resource: Any) -> dict[str, Any]:
    return {"resource": resource} if full_url is None else {"fullUrl": full_url, "resource": resource}


def test_references_are_replaced_and_the_rest_is_kept_digit_for_digit() -> None:
    content = b'{"subject":{"reference":"Patient/p/_history/3"},"value":2.350,"text":"\\"reference\\":\\"Patient/p\\""}'
    written = rewrite_references(content, {"Patient/p": "Patient/ours"})
    assert written == content.replace(b"Patient/p/_history/3", b"Patient/ours", 1)


def test_contained_references_stay() -> None:
    content = b'{"reference":"#d"}'
    assert rewrite_references(content, {"#d": "Device/1"}) == content


def test_what_belongs_to_the_sender_alone_is_left_off() -> None:
    patient = {**PATIENT, "meta": {"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "source": "urn:x"}}
    (group,) = _intake({"resource": patient}).groups
    assert json.loads(group.resources[0].content) == {
        "resourceType": "Patient",
        "meta": {"source": "urn:x"},
        "identifier": PATIENT["identifier"],
    }


def test_a_relative_reference_means_the_server_it_came_from() -> None:
    people = [
        _entry(f"https://{server}.example/fhir/Patient/1", resourceType="Patient", id="1") for server in ("a", "b")
    ]
    labs = [
        _entry(
            f"https://{server}.example/fhir/Observation/9",
            resourceType="Observation",
            id="9",
            subject={"reference": "Patient/1"},
            device={"reference": "Device/4"},
        )
        for server in ("a", "b")
    ]
    groups = _intake(*people, *labs).groups
    assert [group.identity.urls for group in groups] == [
        ("https://a.example/fhir/Patient/1",),
        ("https://b.example/fhir/Patient/1",),
    ]
    lab = groups[1].resources[1].content
    assert b"https://b.example/fhir/Device/4" in lab
    assert b"https://b.example/fhir/Patient/1" in lab


def test_our_own_output_is_left_out_and_said() -> None:
    own = {
        "resourceType": "DiagnosticReport",
        "identifier": [{"system": "https://fillertrace.example/fhir/report", "value": "x"}],
        "subject": {"reference": "Patient/p"},
    }
    intake = _intake({"resource": PATIENT}, {"resource": own})
    assert [resource.type for resource in intake.groups[0].resources] == ["Patient"]
    assert [issue.detail for issue in intake.issues] == ["own-output"]


def test_own_output_alone_starts_nothing_unless_asked_for_by_name() -> None:
    own = {
        "resourceType": "DiagnosticReport",
        "identifier": [{"system": "https://fillertrace.example/fhir/report", "value": "x"}],
        "subject": {"reference": "Patient/p"},
    }
    assert _intake({"resource": own}).groups == ()
    assert len(_intake({"resource": own}, keep_empty_groups=True).groups) == 1


def test_numbers_of_an_order_do_not_make_two_resources_one() -> None:
    def lab(number: str, kind: str | None) -> dict[str, Any]:
        identifier: dict[str, Any] = {"system": "https://a.example/order", "value": number}
        if kind:
            identifier["type"] = {"coding": [{"code": kind}]}
        return {
            "resource": {
                "resourceType": "Observation",
                "subject": {"reference": "Patient/p"},
                "identifier": [identifier],
            }
        }

    resources = _intake({"resource": PATIENT}, lab("1", "PLAC"), lab("2", None), lab("2", None), lab("3", None)).groups[
        0
    ]
    assert [resource.identifiers for resource in resources.resources[1:]] == [
        (),
        (),
        (),
        (("https://a.example/order", "3"),),
    ]


def test_our_own_addresses_mean_our_resources() -> None:
    intake = _intake(
        _entry(f"{BASE}/Patient/ours", resourceType="Patient", id="ours"),
        _entry(None, resourceType="Observation", subject={"reference": f"{BASE}/Patient/ours"}),
        held=True,
    )
    (group,) = intake.groups
    assert group.identity.own_id == "ours"
    assert group.identity.urls == ()
    assert group.resources[0].urls == ()
