"""From where on an EHR is asked what is new."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ehr.news import Novelty, heard_until, newest, news
from tests.servers.loopback import reply
from tests.unit.ehr.clients import client_of, searchset

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def told(updated: str) -> Novelty:
    return Novelty(name=f"Observation/{updated}/_history/1", updated=updated, resource={})


EARLY, MIDDLE, LATE = (told(f"2026-11-28T{hour}:00Z") for hour in ("09:00", "09:30", "10:30"))


def test_it_goes_on_behind_the_newest() -> None:
    assert heard_until(EARLY.updated, heard=[LATE, MIDDLE], missed=[], now=NOW) == LATE.updated
    assert heard_until(LATE.updated, heard=[EARLY], missed=[], now=NOW) == LATE.updated
    assert heard_until(EARLY.updated, heard=[], missed=[], now=NOW) == EARLY.updated


def test_what_was_missed_is_told_again_for_an_hour() -> None:
    half_past = told("2026-11-28T10:29:59Z")
    assert heard_until(EARLY.updated, heard=[half_past], missed=[MIDDLE], now=NOW) == MIDDLE.updated
    assert heard_until(EARLY.updated, heard=[LATE], missed=[MIDDLE], now=NOW) == LATE.updated
    assert heard_until(EARLY.updated, heard=[], missed=[MIDDLE, LATE], now=NOW) == LATE.updated


def test_a_moment_that_is_still_to_come_silences_nothing() -> None:
    to_come = told("2999-01-01T00:00:00Z")
    assert heard_until(EARLY.updated, heard=[to_come, MIDDLE], missed=[], now=NOW) == MIDDLE.updated
    assert heard_until(EARLY.updated, heard=[to_come], missed=[MIDDLE, to_come], now=NOW) == MIDDLE.updated
    assert heard_until(EARLY.updated, heard=[to_come], missed=[], now=NOW) == EARLY.updated


def observation(id_: str, updated: object) -> dict[str, object]:
    return {"resourceType": "Observation", "id": id_, "meta": {"versionId": "1", "lastUpdated": updated}}


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "soon", "", 7, None])
def test_what_is_no_moment_stops_no_news(moment: object) -> None:
    page = reply(searchset(observation("1", moment), observation("2", EARLY.updated)))
    with client_of(lambda _: page) as (client, _):
        found = list(news(client, ["Observation"], since=EARLY.updated))
        assert newest(client, ["Observation"], now=NOW) == "1970-01-01T00:00:00Z"
    assert [one.name for one in found] == ["Observation/2/_history/1"]


def test_the_newest_is_looked_for_up_to_now() -> None:
    page = reply(searchset(observation("1", "2999-01-01T00:00:00Z")))
    with client_of(lambda _: page) as (client, there):
        assert newest(client, ["Observation"], now=NOW) == "2026-11-28T12:00:00.000Z"
    assert "_lastUpdated=le2026-11-28T12%3A00%3A00.000Z" in there.received[0].path
