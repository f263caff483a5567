"""`Patient/1` of one server is not `Patient/1` of another, nor is `Device/1`: two people and their things never mix."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings.bundle import BundleRejected, parse_bundle
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.resource_json import dumps
from fhir_mappings.timeline import Mapped, kept_from_bundle, timeline_from
from tests.correlated import correlate_bundle
from tests.unit.fhir_mappings.reading import TODAY, lab, procedure, report, study

A, B = "https://a.example/fhir", "https://b.example/fhir"
PERSON = {"reference": "Patient/1"}
Entry = tuple[str | None, dict[str, Any]]


def patient(server: str | None = A) -> Entry:
    return (server and f"{server}/Patient/1"), {"resourceType": "Patient", "id": "1"}


def calcium(server: str | None, subject: str = "Patient/1", id_: str = "9") -> Entry:
    return (server and f"{server}/Observation/{id_}"), lab(id=id_, subject={"reference": subject})


def bundle(*entries: Entry) -> bytes:
    listed = [{"fullUrl": url, "resource": one} if url else {"resource": one} for url, one in entries]
    return dumps({"resourceType": "Bundle", "type": "collection", "entry": listed})


def groups(*entries: Entry) -> list[tuple[list[int], tuple[str, ...]]]:
    found = sort_by_patient(parse_bundle(bundle(*entries))).groups
    return [([entry.index for entry in group.entries], group.identity.urls) for group in found]


def mapped(*entries: Entry) -> Mapped:
    """All entries read as one patient's, as where two servers know the same person."""
    return timeline_from(kept_from_bundle(parse_bundle(bundle(*entries))), as_of=TODAY, knowledge=load_knowledge())


def test_another_servers_patient_of_the_same_id_is_another_person() -> None:
    assert groups(patient(A), calcium(B)) == [([0], (f"{A}/Patient/1",)), ([1], (f"{B}/Patient/1",))]


def test_in_two_bundles_each_names_its_own_servers_patient() -> None:
    assert groups(calcium(A)) == [([0], (f"{A}/Patient/1",))]
    assert groups(calcium(B)) == [([0], (f"{B}/Patient/1",))]


def test_the_order_of_the_entries_does_not_matter() -> None:
    assert groups(calcium(B), patient(A)) == [([0], (f"{B}/Patient/1",)), ([1], (f"{A}/Patient/1",))]


def test_correlate_refuses_them_as_two_patients() -> None:
    with pytest.raises(BundleRejected) as caught:
        correlate_bundle(
            bundle(patient(A), calcium(B)),
            knowledge=load_knowledge(),
            as_of=TODAY,
            issued=datetime(2026, 11, 23, tzinfo=UTC),
            software_version="0.1.0",
        )
    assert (caught.value.status, caught.value.issues[0].detail) == (422, "two-patients")


def test_a_patient_without_address_may_be_one_servers() -> None:
    assert groups(patient(None), calcium(B)) == [([0, 1], ())]
    assert groups(patient(None), calcium(None, f"{B}/Patient/1")) == [([0, 1], ())]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (calcium(A, id_="8"), calcium(B)),
        (calcium(None, f"{A}/Patient/1", id_="8"), calcium(None, f"{B}/Patient/1")),
        (calcium(A, id_="8"), calcium(None, f"{B}/Patient/1")),
    ],
)
def test_a_patient_without_address_is_never_two_servers(one: Entry, other: Entry) -> None:
    assert groups(patient(None), one, other) == [([0], ()), ([1], (f"{A}/Patient/1",)), ([2], (f"{B}/Patient/1",))]


def test_type_and_id_alone_mean_no_servers_patient_where_there_are_two_servers() -> None:
    found = groups(patient(A), calcium(A, id_="8"), calcium(B), calcium(None, id_="7"))
    assert found == [([0, 1], (f"{A}/Patient/1",)), ([2], (f"{B}/Patient/1",)), ([3], ())]


def test_type_and_id_alone_mean_the_only_servers_patient() -> None:
    assert groups(patient(A), calcium(None)) == [([0, 1], (f"{A}/Patient/1",))]


def test_a_patient_sent_twice_is_one() -> None:
    assert groups(patient(A), patient(A), calcium(A)) == [([0, 1, 2], (f"{A}/Patient/1",))]


def test_a_procedure_does_not_take_another_servers_device() -> None:
    act = procedure(subject=PERSON, code={"text": "Dermal filler injection"}, usedReference=[{"reference": "Device/1"}])
    device = {"resourceType": "Device", "id": "1", "deviceName": [{"name": "Radiesse", "type": "user-friendly-name"}]}
    far = mapped((f"{B}/Procedure/f", act), (f"{A}/Device/1", device))
    near = mapped((f"{B}/Procedure/f", act), (f"{B}/Device/1", device))
    assert [one.material for one in far.timeline.injections] == ["unknown"]
    assert "dangling-reference" in {issue.detail for issue in far.issues}
    assert [one.material for one in near.timeline.injections] == ["caha"]


def test_a_use_of_a_device_is_not_tied_to_another_servers_procedure() -> None:
    act = procedure(subject=PERSON, code={"text": "Dermal filler injection"}, performedDateTime="2018-05-02")
    use = {
        "resourceType": "DeviceUseStatement",
        "id": "u",
        "status": "active",
        "subject": PERSON,
        "derivedFrom": [{"reference": "Procedure/f"}],
        "device": {"reference": "#d"},
        "contained": [{"resourceType": "Device", "id": "d", "deviceName": [{"name": "Radiesse", "type": "other"}]}],
    }
    far = mapped((f"{A}/Procedure/f", act), (f"{B}/DeviceUseStatement/u", use))
    near = mapped((f"{B}/Procedure/f", act), (f"{B}/DeviceUseStatement/u", use))
    assert (len(far.timeline.injections), len(near.timeline.injections)) == (2, 1)


def test_a_report_is_not_tied_to_another_servers_study() -> None:
    words = report(subject=PERSON, effectiveDateTime="2020-01-01", basedOn=[{"reference": "ServiceRequest/5"}])
    ct = study(subject=PERSON, basedOn=[{"reference": "ServiceRequest/5"}])
    far = mapped((f"{A}/ImagingStudy/s", ct), (f"{B}/DiagnosticReport/r", words))
    near = mapped((f"{B}/ImagingStudy/s", ct), (f"{B}/DiagnosticReport/r", words))
    assert [exam.reported for exam in far.timeline.exams] == [False, True]
    assert [exam.reported for exam in near.timeline.exams] == [True]
    ordered = {key: value for key, value in words.items() if key != "imagingStudy"}
    assert len(mapped((f"{A}/ImagingStudy/s", ct), (f"{B}/DiagnosticReport/r", ordered)).timeline.exams) == 2
    assert len(mapped((f"{B}/ImagingStudy/s", ct), (f"{B}/DiagnosticReport/r", ordered)).timeline.exams) == 1


def test_a_coded_finding_is_not_tied_to_another_servers_study() -> None:
    finding = {
        "resourceType": "Observation",
        "id": "c",
        "status": "final",
        "subject": PERSON,
        "category": [{"coding": [{"code": "imaging"}]}],
        "code": {"text": "Calcification of the cheek"},
        "valueString": "Calcific plaques in the subcutaneous fat of both cheeks.",
        "derivedFrom": [{"reference": "ImagingStudy/s"}],
    }
    ct = study(subject=PERSON)
    far = mapped((f"{A}/ImagingStudy/s", ct), (f"{B}/Observation/c", finding))
    near = mapped((f"{B}/ImagingStudy/s", ct), (f"{B}/Observation/c", finding))
    assert (len(far.timeline.exams), len(near.timeline.exams)) == (2, 1)
