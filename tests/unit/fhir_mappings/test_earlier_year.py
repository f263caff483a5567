"""Which earlier year a report compares with, and when that makes an earlier mention of the finding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from correlation.knowledge_base import load_knowledge
from correlation.timeline import Certainty
from fhir_mappings.report_text.earlier import comparison_year, with_earlier_mention
from tests.builders import finding

WORDS = load_knowledge().words


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("COMPARISON: CT of 12/03/2015.", 2015),
        ("Comparison: CT 2015 and MRI. FINDINGS: …", 2015),
        ("COMPARACIÓN: TC de 2014.", 2014),
        ("Comparison: none. Filler in 2018.", None),
        ("CT of 2019.", None),
    ],
)
def test_the_year_of_the_comparison(text: str, year: int | None) -> None:
    assert comparison_year(text) == year


@pytest.mark.parametrize(
    ("quote", "change", "earlier"),
    [
        ("Plaques unchanged since 2015.", "stable", 2015),
        ("Plaques decreased compared with the CT of 01/02/2016.", "decreased", 2016),
        ("Placas sin cambios respecto al estudio de 2014.", "stable", 2014),
        ("New plaques since 2015.", "new", None),
        ("Plaques, filler injected in 2015.", "stable", None),
        ("Plaques unchanged since 2019.", "stable", None),
        ("Plaques unchanged.", None, None),
    ],
)
def test_an_earlier_mention(quote: str, change: str | None, earlier: int | None) -> None:
    found = with_earlier_mention(finding(on="2019-10-15", quote=quote, change=change), compared_with=None, words=WORDS)
    if earlier is None:
        assert len(found) == 1
        return
    first, second = found
    assert first.seen is not None
    assert first.seen.latest.year == earlier
    assert (first.certainty, first.exam) == (Certainty.HISTORY, None)
    assert second.quote == quote


def test_the_comparison_section_speaks_for_findings_that_changed() -> None:
    seen = finding(on="2019-10-15", change="stable")
    assert len(with_earlier_mention(seen, compared_with=2012, words=WORDS)) == 2
    assert len(with_earlier_mention(replace(seen, change=None), compared_with=2012, words=WORDS)) == 1
    assert len(with_earlier_mention(replace(seen, certainty=Certainty.NEGATED), compared_with=2012, words=WORDS)) == 1
    assert len(with_earlier_mention(replace(seen, seen=None), compared_with=2012, words=WORDS)) == 1
