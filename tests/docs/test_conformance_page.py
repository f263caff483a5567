"""docs/conformance.md lists every requirement with the tests that prove it, and none fails."""

from tests.conformance.page import PAGE, page, proofs, requirements


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make conformance"


def test_every_requirement_is_proved_or_says_why_not() -> None:
    proved = proofs()
    assert [one.id for one in requirements() if not one.not_offered and not proved.get(one.id)] == []


def test_no_mark_names_an_unknown_requirement() -> None:
    assert proofs().keys() - {one.id for one in requirements()} == set()
