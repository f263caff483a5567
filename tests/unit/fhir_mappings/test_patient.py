"""Whose a resource is, and by what a patient is known again."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.bundle import BundleRejected, parse_bundle
from fhir_mappings.patient import contradict, identity_of, one_patient
from fhir_mappings.patient_groups import patients_in, sort_by_patient
from fhir_mappings.resource_json import dumps
from tests.unit.fhir_mappings.reading import PATIENT, bundle, lab, mapped, procedure

A, B = "https://a.example/fhir", "https://b.example/fhir"


def entries(*pairs: tuple[str | None, dict[str, Any]]) -> bytes:
    listed = [{"fullUrl": url, "resource": one} if url else {"resource": one} for url, one in pairs]
    return dumps({"resourceType": "Bundle", "type": "collection", "entry": listed})


def patient(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "1", **fields}


def of(subject: str, **fields: Any) -> dict[str, Any]:
    return lab(subject={"reference": subject}, **fields)


def test_two_sources_that_both_say_patient_1_never_mix() -> None:
    raw = entries(
        (f"{A}/Patient/1", patient()),
        (f"{B}/Patient/1", patient()),
        (f"{A}/Observation/1", of("Patient/1")),
        (f"{B}/Observation/1", of("Patient/1")),
    )
    groups = patients_in(parse_bundle(raw))
    assert [[entry.index for entry in group.entries] for group in groups] == [[0, 2], [1, 3]]


def test_one_number_under_two_systems_is_two_people() -> None:
    one = identity_of(patient(identifier=[{"system": "urn:a", "value": "7"}]), None)
    other = identity_of(patient(identifier=[{"system": "urn:b", "value": "7"}]), None)
    assert not set(one.identifiers) & set(other.identifiers)


def test_an_identifier_without_system_is_none() -> None:
    assert identity_of(patient(identifier=[{"value": "7"}]), "urn:uuid:1").identifiers == ()


def test_one_identifier_in_two_patients_is_one_person() -> None:
    number = [{"system": "urn:a", "value": "7"}]
    raw = entries(("urn:uuid:1", patient(identifier=number)), ("urn:uuid:2", patient(id="2", identifier=number)))
    assert len(patients_in(parse_bundle(raw))) == 1


@pytest.mark.parametrize("other", [{"birthDate": "1972"}, {"gender": "male"}])
def test_one_identifier_for_two_people_is_refused(other: dict[str, str]) -> None:
    same = {"identifier": [{"system": "urn:a", "value": "7"}], "birthDate": "1971-03-28", "gender": "female"}
    raw = entries(("urn:uuid:1", patient(**same)), ("urn:uuid:2", patient(**{**same, **other})))
    with pytest.raises(BundleRejected) as caught:
        patients_in(parse_bundle(raw))
    assert (caught.value.status, caught.value.issues[0].detail) == (422, "patient-conflict")


def test_a_year_fits_every_day_of_it() -> None:
    year, day = identity_of({"birthDate": "1971"}, None), identity_of({"birthDate": "1971-03-28"}, None)
    assert not contradict(year, day)


def test_two_patients_are_refused_where_one_is_wanted() -> None:
    raw = entries((None, PATIENT), (None, of("Patient/other")))
    with pytest.raises(BundleRejected) as caught:
        one_patient(patients_in(parse_bundle(raw)))
    assert caught.value.issues[0].detail == "two-patients"
    assert caught.value.issues[0].expression == ("Bundle.entry[0].resource", "Bundle.entry[1].resource.subject")


@pytest.mark.parametrize(
    ("subject", "known_by"),
    [
        ({"reference": f"{A}/Patient/1"}, {"urls": (f"{A}/Patient/1",)}),
        ({"reference": "Patient/9"}, {"local_ids": ("9",)}),
        ({"reference": "Patient?identifier=urn:a|7"}, {"identifiers": (("urn:a", "7"),)}),
        ({"identifier": {"system": "urn:a", "value": "7"}}, {"identifiers": (("urn:a", "7"),)}),
        ({"reference": "urn:uuid:5"}, {}),
    ],
)
def test_a_patient_who_is_only_named_is_enough(subject: dict[str, Any], known_by: dict[str, Any]) -> None:
    group = one_patient(patients_in(parse_bundle(bundle(lab(subject=subject)))))
    assert group.resource is None
    for name, value in known_by.items():
        assert getattr(group.identity, name) == value


def test_what_names_nobody_is_the_only_patients_with_an_issue() -> None:
    silent = lab()
    del silent["subject"]
    found = sort_by_patient(parse_bundle(bundle(PATIENT, silent)))
    assert [entry.index for entry in found.groups[0].entries] == [0, 1]
    assert found.issues[0].detail == "no-subject"


def test_between_two_patients_what_names_nobody_is_nobodys() -> None:
    silent = lab()
    del silent["subject"]
    raw = entries((f"{A}/Patient/1", patient()), (f"{A}/Patient/2", patient(id="2")), (None, silent))
    found = sort_by_patient(parse_bundle(raw))
    assert [entry.index for entry in found.nobodys] == [2]
    assert found.issues[0].severity == "warning"


def test_a_device_belongs_to_all_who_refer_to_it() -> None:
    device = {"resourceType": "Device", "id": "d"}
    used = [procedure(subject={"reference": f"Patient/{n}"}, usedReference=[{"reference": "Device/d"}]) for n in (1, 2)]
    raw = bundle(patient(), patient(id="2"), device, *used)
    assert [[entry.index for entry in group.entries] for group in patients_in(parse_bundle(raw))] == [
        [0, 2, 3],
        [1, 2, 4],
    ]


OURS = "https://fillertrace.example/fhir"


@pytest.mark.parametrize(
    "mark",
    [
        {"identifier": [{"system": f"{OURS}/report", "value": "x"}]},
        {"code": {"coding": [{"system": f"{OURS}/CodeSystem/result", "code": "alert"}]}},
        {"meta": {"tag": [{"system": f"{OURS}/CodeSystem/report", "code": "own-output"}]}},
    ],
)
def test_our_own_output_is_never_read(mark: dict[str, Any]) -> None:
    found = mapped(lab(**mark))
    assert found.timeline.labs == ()
    assert [issue.detail for issue in found.issues] == ["own-output"]
