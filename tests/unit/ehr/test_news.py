"""From where on an EHR is asked what is new."""

from __future__ import annotations

from ehr.news import Novelty, heard_until


def told(updated: str) -> Novelty:
    return Novelty(name=f"Observation/{updated}/_history/1", updated=updated, resource={})


EARLY, MIDDLE, LATE = (told(f"2026-11-28T{hour}:00Z") for hour in ("09:00", "09:30", "10:30"))


def test_it_goes_on_behind_the_newest() -> None:
    assert heard_until(EARLY.updated, heard=[LATE, MIDDLE], missed=[]) == LATE.updated
    assert heard_until(LATE.updated, heard=[EARLY], missed=[]) == LATE.updated
    assert heard_until(EARLY.updated, heard=[], missed=[]) == EARLY.updated


def test_what_was_missed_is_told_again_for_an_hour() -> None:
    half_past = told("2026-11-28T10:29:59Z")
    assert heard_until(EARLY.updated, heard=[half_past], missed=[MIDDLE]) == MIDDLE.updated
    assert heard_until(EARLY.updated, heard=[LATE], missed=[MIDDLE]) == LATE.updated
    assert heard_until(EARLY.updated, heard=[], missed=[MIDDLE, LATE]) == LATE.updated
