"""The worksheet holds every item of the checklist "Report MUST contain", needs no script, and can be read aloud."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

from correlation.dates import DateRange
from correlation.knowledge_base import load_knowledge
from fhir_mappings.timeline_svg import TimelineEvent, draw_timeline
from fhir_mappings.worksheet_html import worksheet_html
from fhir_mappings.worksheet_view import WorksheetHeader
from tests.unit.fhir_mappings.assessments import REPORT_ID, knowledge, published, without_target_finding

HEADER = WorksheetHeader(subject="Patient/587", software_version="0.1.0", report_id=REPORT_ID, issued="2026-03-04")
WORDS = load_knowledge().words
NOT_CLOSED = {"meta", "br", "link", "img", "input", "hr"}


class Outline(HTMLParser):
    """Tags in order, unclosed ones, ids and in-page links."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in NOT_CLOSED:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src") and value:
                self.links.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(html: str) -> Outline:
    parsed = Outline()
    parsed.feed(html)
    assert parsed.open == []
    return parsed


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<body>")[2]))


def test_every_item_of_the_checklist_is_there() -> None:
    text = words(worksheet_html(published(), knowledge(), header=HEADER))
    for item in (
        "Do the recorded fillers explain the deposits",  # what was asked
        "calcific plaques within the subcutaneous fat of both sides of the face",  # verbatim source text
        "DiagnosticReport/ct",  # resource link
        "Radiesse",
        "not counted: status not-done",  # filler ignored, and why
        "9.40 mg/dL",
        "8.6 to 10.2",
        "2019-10-29",
        "Missing: 25-hydroxyvitamin D; parathyroid hormone",
        "Probable",
        "strong for",
        "supporting against",
        "not known",
        "Calcinosis cutis. 2023;15(4)",  # citation
        "If the product were another",  # what would change the answer
        "A raised calcium: partly.",
        "No images were read.",
        "Fillertrace 0.1.0, knowledge edition 2026.1",
        "not a diagnosis; for review by a licensed clinician",
        "Not reviewed by a clinician",
        "No alert does not mean no emergency",
        "preliminary",
    ):
        assert item in text, item


def test_alerts_come_before_the_conclusion() -> None:
    html = worksheet_html(published(), knowledge(), header=HEADER)
    assert html.index("Records disagree about the date") < html.index('id="conclusion"')


def test_no_script_and_nothing_from_outside() -> None:
    html = worksheet_html(published(), knowledge(), header=HEADER)
    parsed = outline(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(parsed.tags)
    assert all(link.startswith("#") for link in parsed.links)
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert "url(" not in html
    assert "javascript:" not in html


def test_a_screen_reader_finds_headings_captions_and_the_drawings_name() -> None:
    html = worksheet_html(published(), knowledge(), header=HEADER)
    parsed = outline(html)
    assert parsed.tags.count("h1") == 1
    assert parsed.tags.count("table") == parsed.tags.count("caption")
    assert '<html lang="en">' in html
    assert "<title id=" in html
    assert "<desc id=" in html
    assert "<th>" not in html  # every heading cell says its scope


def test_forbidden_words_are_not_ours() -> None:
    text = words(worksheet_html(published(), knowledge(), header=HEADER)).casefold()
    for word in ("benign", "excluded", "no follow-up needed", "no disease"):
        assert word not in text


def test_no_imaging_and_nothing_to_explain_still_make_a_page() -> None:
    no_imaging = replace(without_target_finding(), attribution=None)
    assert "No imaging on record" in worksheet_html(no_imaging, knowledge(), header=HEADER)
    assert "Imaging reports no finding" in worksheet_html(without_target_finding(), knowledge(), header=HEADER)


def test_a_known_day_is_a_dot_and_a_year_a_bar() -> None:
    events = [
        TimelineEvent(lane="Injections", label="a", when=DateRange.day(date(2018, 5, 1)), style="injection"),
        TimelineEvent(lane="Injections", label="b", when=DateRange.year(2018), style="injection"),
    ]
    svg = draw_timeline(events, as_of=date(2020, 1, 1), words=WORDS)
    assert svg.count("<circle") == 1
    (width,) = re.findall(r'<rect [^>]*width="([\d.]+)"', svg)
    # One of the three years drawn, over the 542 pixels that the axis has.
    assert abs(float(width) - 542 / 3) < 2
    assert "today 2020-01-01" in svg


def test_nothing_dated_draws_nothing() -> None:
    assert draw_timeline([], as_of=date(2020, 1, 1), words=WORDS) == ""


def test_decades_fit_and_full_lanes_say_so() -> None:
    many = tuple(replace(published().timeline.injections[0], performed=DateRange.year(1980 + n)) for n in range(20))
    assessment = replace(published(), timeline=replace(published().timeline, injections=many))
    html = worksheet_html(assessment, knowledge(), header=HEADER)
    assert "8 older injections are not drawn" in html
    assert html.count('<text class="tick-label"') <= 13
