"""What a caller's scopes let them do with a type: they add up, and what is half understood gives nothing."""

import pytest

from api.access.caller import OPEN_CALLER, Caller
from api.access.reach import Reach, reach_of
from fhir_mappings.smart_scopes import parse_scopes
from store.search_criteria import NO_VALUES, HasToken, OfPatient, SearchValues

BASE = "https://us.example/fhir"
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
LAB = SearchValues(tokens=(("Observation.category", *LABORATORY.split("|")),))  # type: ignore[arg-type]


def reach(scopes: str, type_: str = "Observation", right: str = "r", *, patient: str | None = None) -> Reach:
    caller = Caller(
        client_id="app",
        patient=patient,
        patient_ids=frozenset({patient} if patient else ()),
        scopes=parse_scopes(scopes),
    )
    return reach_of(caller, type_, right, base=BASE)


@pytest.mark.requirement("SM-02")
@pytest.mark.parametrize(
    ("scopes", "right", "everything"),
    [
        ("system/*.cruds", "d", True),
        ("system/Observation.rs", "s", True),
        ("user/Observation.read", "s", True),
        ("user/Observation.write", "r", False),
        ("system/Observation.rs", "u", False),
        ("system/Procedure.rs", "r", False),
        ("system/Procedure.rs system/Observation.r", "r", True),
        ("system/Observation.sr", "r", False),
        ("openid fhirUser launch/patient", "r", False),
        ("", "r", False),
    ],
)
def test_scopes_add_up(scopes: str, right: str, everything: bool) -> None:
    found = reach(scopes, right=right)
    assert found.everything is everything
    assert found.nothing is not everything


@pytest.mark.requirement("SM-04")
def test_a_scope_for_a_patient_reaches_that_patient_alone() -> None:
    found = reach("patient/*.rs", patient="p1")
    assert found.choices == ((OfPatient(choices=("p1",)),),)
    assert found.whole
    assert not found.everything
    assert found.holds(NO_VALUES, in_compartment=True)
    assert not found.holds(NO_VALUES, in_compartment=False)


def test_a_scope_for_a_patient_without_a_patient_reaches_nothing() -> None:
    assert reach("patient/*.cruds").nothing


@pytest.mark.requirement("SM-05")
def test_parameters_narrow_what_a_scope_reaches() -> None:
    found = reach(f"system/Observation.rs?category={LABORATORY}")
    assert not found.everything
    assert not found.whole
    assert found.holds(LAB, in_compartment=False)
    assert not found.holds(NO_VALUES, in_compartment=True)
    wider = reach(f"system/Observation.rs?category={LABORATORY} system/Observation.rs")
    assert wider.everything


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "category=",
        "date=ge2020",
        "patient=Patient/1",
        "_id=1",
        "code:in=x",
        "category=a&code=",
        "_count=5",
    ],
)
def test_what_is_half_understood_gives_nothing(query: str) -> None:
    assert reach(f"system/Observation.rs?{query}").nothing


def test_a_narrowing_that_a_type_does_not_have_gives_nothing_of_that_type() -> None:
    assert reach("system/*.rs?category=laboratory", "Patient").nothing
    found = reach("system/*.rs?category=laboratory", "Observation")
    assert found.choices == ((HasToken(parameter="Observation.category", choices=((None, "laboratory"),)),),)


def test_the_open_caller_may_do_all_and_is_not_verified() -> None:
    assert reach_of(OPEN_CALLER, "Task", "u", base=BASE).everything
    assert not OPEN_CALLER.verified
