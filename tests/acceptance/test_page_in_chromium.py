"""The worksheet as people meet it: drawn and printed by a real browser."""

import re
import subprocess
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from correlation.knowledge_base import load_knowledge
from correlation.timeline import DataClass, Withheld
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.stateless import correlate_parsed
from tests.builders import unseen
from tests.examples import CASE_IDS, case_bytes

LANGUAGES = sorted(load_knowledge().in_languages)
# As root in a container, and without a word to any host of the browser's maker.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def page_of(case_id: str, folder: Path, *, language: str, withheld: tuple[Withheld, ...] = ()) -> Path:
    result = correlate_parsed(
        parse_bundle(case_bytes(case_id)),
        knowledge=load_knowledge().in_language(language),
        as_of=date(2026, 11, 1),
        issued=datetime(2026, 11, 1, tzinfo=UTC),
        software_version="test",
        withheld=withheld,
    )
    page = folder / "worksheet.html"
    page.write_text(result.html, encoding="utf-8")
    return page


def browse(chromium: str, page: Path, *arguments: str) -> str:
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [chromium, *FLAGS, profile, *arguments, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


@pytest.mark.usefixtures("print_font")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case_id", CASE_IDS)
def test_a_case_prints_on_two_sheets_at_most(case_id: str, language: str, chromium: str, tmp_path: Path) -> None:
    assert 1 <= sheets(chromium, page_of(case_id, tmp_path, language=language)) <= 2


@pytest.mark.usefixtures("print_font")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case_id", CASE_IDS[::7])
def test_so_does_one_of_which_every_class_was_withheld(
    case_id: str, language: str, chromium: str, tmp_path: Path
) -> None:
    page = page_of(case_id, tmp_path, language=language, withheld=tuple(unseen(data) for data in DataClass))
    assert 1 <= sheets(chromium, page) <= 2


def sheets(chromium: str, page: Path) -> int:
    printed = page.with_suffix(".pdf")
    browse(chromium, page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", printed.read_bytes()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case_id", ["V01", "V14"])
def test_the_page_says_the_same_to_a_screen_reader(case_id: str, language: str, chromium: str, tmp_path: Path) -> None:
    """Landmarks, headings in order, a caption for every table, a title for the drawing, nothing that needs a script."""
    drawn = browse(chromium, page_of(case_id, tmp_path, language=language), "--dump-dom")
    assert "<script" not in drawn
    assert re.search(rf'<html[^>]* lang="{language}"', drawn)
    for landmark in ("header", "main", "footer"):
        assert len(re.findall(rf"<{landmark}[ >]", drawn)) == 1
    ids = set(re.findall(r' id="([^"]+)"', drawn))
    sections = re.findall(r"<section[^>]*>", drawn)
    assert sections
    for section in sections:  # every landmark inside is named by its heading
        named = re.search(r'aria-labelledby="([^"]+)"', section)
        assert named is not None
        assert named.group(1) in ids
    assert set(re.findall(r'href="#([^"]+)"', drawn)) <= ids  # the skip link and every citation lead somewhere
    assert all('scope="' in cell for cell in re.findall(r"<th[ >][^>]*>?", drawn))
    assert 'tabindex="-' not in drawn
    assert len(re.findall(r"<h1[ >]", drawn)) == 1
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", drawn)]
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))
    tables = re.findall(r"<table.*?</table>", drawn, flags=re.DOTALL)
    assert tables
    assert all("<caption" in table and 'scope="' in table for table in tables)
    assert re.search(r"<svg[^>]*role=\"img\".*?<title[^>]*>[^<]+<.*?<desc[^>]*>[^<]+<", drawn, flags=re.DOTALL)
    assert "http://" not in drawn.replace("http://www.w3.org", "")
