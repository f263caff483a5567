"""`GET /evidence`: a page for a browser, JSON for a program, nothing of any patient."""

import pytest

from tests.unit.api.service import KNOWLEDGE, Door, case

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def _at_the_root(door: Door) -> str:
    return door.base.removesuffix("/fhir") + "/evidence"


@pytest.mark.parametrize("accept", [BROWSER, "*/*", "text/html, application/json;q=0.5"])
def test_a_browser_gets_a_page_without_script(door: Door, accept: str) -> None:
    answer = door.client.get(_at_the_root(door), headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert KNOWLEDGE.digest in answer.text


def test_a_program_gets_the_same_as_json(door: Door) -> None:
    answer = door.client.get(_at_the_root(door), headers={"Accept": "application/json"})
    assert answer.headers["content-type"].startswith("application/json")
    card = answer.json()
    assert card["knowledge"]["digest"] == KNOWLEDGE.digest
    assert {cause["id"] for cause in card["causes"]} == set(KNOWLEDGE.causes)


def test_it_does_not_change_with_what_is_stored(door: Door) -> None:
    before = door.client.get(_at_the_root(door)).text
    door.correlate(case("V01"))
    assert door.client.get(_at_the_root(door)).text == before
