"""The picture of the knowledge page shows the knowledge base's own numbers with their sources, and no others."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree

from correlation.knowledge_base import load_knowledge
from correlation.knowledge_page import render
from correlation.knowledge_page_visibility import BANDS, LABEL, PICTURE, picture

KNOWLEDGE = load_knowledge()


def _texts(svg: str) -> list[str]:
    return [text for element in ElementTree.fromstring(svg).iter() for text in [element.text or ""] if text.strip()]


def test_every_band_stands_in_the_picture_with_its_source() -> None:
    told = _texts(picture(KNOWLEDGE))
    assert LABEL in told
    for name, words, _, _ in BANDS:
        assert f"{words} [{KNOWLEDGE.measures[name].source}]" in told
    for material in KNOWLEDGE.materials.values():
        assert material.name in " ".join(told), material.id
        since = material.calcifies_after_months
        if since is not None:
            assert any(f"from {since.value} months [{since.source}]" in text for text in told), material.id


def test_the_bars_are_as_long_as_the_months() -> None:
    widths = {}
    for months in (24, 12):
        name = BANDS[0][0]
        measure = replace(KNOWLEDGE.measures[name], value=Decimal(months))
        svg = picture(replace(KNOWLEDGE, measures={**KNOWLEDGE.measures, name: measure}))
        found = re.search(rf'<rect [^>]*width="([\d.]+)"[^>]*fill="{BANDS[0][3]}"', svg)
        assert found is not None
        widths[months] = float(found.group(1))
    assert abs(widths[24] - 2 * widths[12]) < 0.2


def test_the_picture_can_be_read_aloud_and_stands_on_the_page() -> None:
    svg = picture(KNOWLEDGE)
    root = ElementTree.fromstring(svg)
    named = {element.tag.rpartition("}")[2]: element.text or "" for element in root}
    assert root.get("role") == "img"
    assert LABEL in named["title"]
    assert "expected" in named["desc"]
    assert "<script" not in svg
    page = render(KNOWLEDGE)
    assert f"{LABEL}. The table below" in page
    assert f"]({PICTURE})" in page
