"""Who is who: contract, section 3."""

import pytest

from store import patients, resources
from store.database import Database
from store.errors import NotFound, PatientConflict
from store.incoming import PatientIdentity
from tests.unit.store.builders import MRN, person, receive, resource


def _patient(database: Database, **known: str) -> str:
    return receive(database, person(**known)).jobs[0].patient_id


def test_two_sources_that_both_say_patient_1_are_two_people(database: Database) -> None:
    clinic = _patient(database, url="https://clinic.example/fhir/Patient/1", key="Patient/1")
    hospital = _patient(database, url="https://hospital.example/fhir/Patient/1", key="Patient/1")
    nameless = _patient(database, key="Patient/1")
    assert len({clinic, hospital, nameless, _patient(database, key="Patient/1")}) == 4


def test_one_number_under_two_systems_is_two_people(database: Database) -> None:
    assert _patient(database, mrn="77", system=MRN) != _patient(database, mrn="77", system="https://other.example/mrn")


def test_a_number_without_system_matches_nobody(database: Database) -> None:
    assert _patient(database, mrn="77", system="") != _patient(database, mrn="77", system="")


def test_the_borders_of_system_and_value_cannot_be_moved(database: Database) -> None:
    assert _patient(database, mrn="b|c", system="https://a") != _patient(database, mrn="c", system="https://a|b")


@pytest.mark.parametrize("known", [{"mrn": "77"}, {"url": "https://clinic.example/fhir/Patient/1"}])
def test_the_same_number_or_address_is_the_same_person(database: Database, known: dict[str, str]) -> None:
    assert _patient(database, **known) == _patient(database, **known)


def test_an_address_seen_beside_a_number_is_learnt(database: Database) -> None:
    first = _patient(database, mrn="77")
    both = _patient(database, mrn="77", url="https://clinic.example/fhir/Patient/1")
    assert first == both == _patient(database, url="https://clinic.example/fhir/Patient/1")


def test_our_own_id_is_the_same_person_and_an_unknown_one_is_refused(database: Database) -> None:
    first = _patient(database, mrn="77")
    assert _patient(database, own_id=first) == first
    assert patients.known(database, first)
    with pytest.raises(NotFound):
        _patient(database, own_id="nobody")


@pytest.mark.parametrize(
    ("said", "element"),
    [({"born": "1971"}, "birthDate"), ({"born": "1970-06"}, "birthDate"), ({"sex": "male"}, "gender")],
)
def test_a_contradiction_is_refused_and_nothing_is_stored(
    database: Database, said: dict[str, str], element: str
) -> None:
    first = _patient(database, mrn="77", born="1970-05-01", sex="female")
    with pytest.raises(PatientConflict) as refused:
        receive(database, person(resource("Observation", "o"), mrn="77", **said), raw=b"other")
    assert refused.value.element == element
    assert "19" not in str(refused.value)
    assert resources.of_patient(database, first) == []


def test_partial_dates_and_unknown_sex_do_not_contradict_and_make_more_precise(database: Database) -> None:
    first = _patient(database, mrn="77", born="1970", sex="unknown")
    assert _patient(database, mrn="77", born="1970-05-01", sex="female") == first
    assert _patient(database, mrn="77", born="1970-05") == first
    with pytest.raises(PatientConflict):
        _patient(database, mrn="77", born="1970-05-02")
    with pytest.raises(PatientConflict):
        _patient(database, mrn="77", sex="male")


def test_identifiers_of_two_known_people_in_one_patient_are_refused(database: Database) -> None:
    _patient(database, mrn="1")
    _patient(database, url="https://clinic.example/fhir/Patient/2")
    with pytest.raises(PatientConflict) as refused:
        _patient(database, mrn="1", url="https://clinic.example/fhir/Patient/2")
    assert refused.value.element == "identifier"


def test_one_bundle_with_one_person_twice_starts_one_job(database: Database) -> None:
    received = receive(database, person(mrn="1", key="Patient/a"), person(mrn="1", key="Patient/b"))
    assert len(received.jobs) == 1


def test_find_says_who_is_meant_without_storing(database: Database) -> None:
    identity = PatientIdentity(identifiers=((MRN, "77"),))
    assert patients.find(database, identity) is None
    first = _patient(database, mrn="77", sex="female")
    assert patients.find(database, identity) == first
    with pytest.raises(PatientConflict):
        patients.find(database, PatientIdentity(identifiers=((MRN, "77"),), sex="male"))
