"""Which classes of data a fetched record may lack, and why."""

from __future__ import annotations

import pytest

from admission.withheld import withheld_by
from correlation.timeline import DataClass, Withheld, WithheldBecause
from ehr.history import Seen, TypeVisit

OBSERVATIONS = TypeVisit(type="Observation", count=3, outcome=Seen.SEEN)
NO_CONDITION = TypeVisit(type="Condition", count=0, outcome=Seen.SEEN)


def lacks(data: DataClass, because: WithheldBecause) -> Withheld:
    return Withheld(data=data, because=because)


@pytest.mark.parametrize(
    ("outcome", "count", "because"),
    [
        (Seen.NOT_PERMITTED, 0, WithheldBecause.NOT_PERMITTED),
        (Seen.NOT_PERMITTED, 2, WithheldBecause.LIMITED),
        (Seen.NOT_FETCHED, 0, WithheldBecause.NOT_FETCHED),
        (Seen.NOT_FETCHED, 2, WithheldBecause.NOT_FETCHED),
    ],
)
def test_what_could_not_be_seen_is_named_with_why(outcome: Seen, count: int, because: WithheldBecause) -> None:
    visits = [OBSERVATIONS, TypeVisit(type="Condition", count=count, outcome=outcome)]
    assert withheld_by(visits, granted_scope=None) == (lacks(DataClass.CONDITIONS, because),)


def test_what_the_server_does_not_offer_or_is_no_evidence_is_not_withheld() -> None:
    visits = [
        TypeVisit(type="Specimen", count=0, outcome=Seen.NOT_OFFERED),
        TypeVisit(type="Practitioner", count=0, outcome=Seen.NOT_PERMITTED),
    ]
    assert withheld_by(visits, granted_scope=None) == ()


@pytest.mark.parametrize("scope", [None, "", "system/*.rs", "system/*.read", "openid offline_access", "opaque"])
def test_scopes_that_reach_all_or_say_nothing_withhold_nothing(scope: str | None) -> None:
    assert withheld_by([OBSERVATIONS, NO_CONDITION], granted_scope=scope) == ()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("system/Observation.rs", [lacks(DataClass.CONDITIONS, WithheldBecause.NOT_PERMITTED)]),
        ("system/Condition.rs", [lacks(DataClass.OBSERVATIONS, WithheldBecause.LIMITED)]),
        (
            "system/Observation.rs?category=laboratory system/Condition.rs",
            [lacks(DataClass.OBSERVATIONS, WithheldBecause.LIMITED)],
        ),
        ("system/Observation.rs?category=laboratory system/*.rs", []),
        ("system/Observation.cud system/Condition.rs", [lacks(DataClass.OBSERVATIONS, WithheldBecause.LIMITED)]),
    ],
)
def test_what_the_granted_scopes_leave_out_is_named(scope: str, expected: list[Withheld]) -> None:
    assert list(withheld_by([OBSERVATIONS, NO_CONDITION], granted_scope=scope)) == expected


def test_each_reason_is_named_once() -> None:
    visits = [TypeVisit(type=type_, count=0, outcome=Seen.NOT_FETCHED) for type_ in ("Condition", "Encounter")]
    assert withheld_by(visits, granted_scope=None) == (lacks(DataClass.CONDITIONS, WithheldBecause.NOT_FETCHED),)
