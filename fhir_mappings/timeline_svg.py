"""This file draws the patient's events in time as an inline SVG: each event a row, each range of dates a bar.

A date known to the day is a mark, a date known to the month or year a bar as long as what is not known. Nothing is
drawn for an unknown date: the worksheet lists such events in words. No script, no font, no outside resource.
Accessible names: https://www.w3.org/TR/SVG2/struct.html#DescriptionAndTitleElements
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from correlation.dates import DateRange
from correlation.words import Words
from fhir_mappings.narrative import xml_text

# Sizes in pixels of the drawing's own frame.
_WIDTH: Final = 900
_LABELS: Final = 330
_RIGHT: Final = 28
_ROW: Final = 22
_TOP: Final = 30
_LANE: Final = 24
_LEAST_BAR: Final = 7
_LABEL_LENGTH: Final = 52
_DATE_ROOM: Final = 165
"""Room to the right of a mark that its written date may take."""

_MOST_TICKS: Final = 12
_MOST_MONTH_TICKS: Final = 8  # "2024-06" takes more room than "2024"
_STEPS_MONTHS: Final = (1, 3, 6, 12, 24, 60, 120, 240)
_MONTHS_PER_YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One row. `style` is a CSS class of the worksheet: injection, ignored, study, finding, high or low."""

    lane: str
    label: str
    when: DateRange
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    start: date
    end: date

    def x(self, day: date) -> float:
        """Where a day stands from left to right."""
        share = (day - self.start).days / max((self.end - self.start).days, 1)
        return round(_LABELS + share * (_WIDTH - _LABELS - _RIGHT), 1)


def draw_timeline(events: Sequence[TimelineEvent], *, as_of: date, words: Words) -> str:
    """The SVG element; an empty string where no event has a date."""
    if not events:
        return ""
    axis = _axis(events, as_of)
    rows, bottom = _rows(events, axis, words)
    height = bottom + 8
    spoken = "; ".join(f"{event.label}, {words.day(event.when)}" for event in events)
    spoken = words.say("drawing.spoken", events=spoken, day=as_of.isoformat())
    return (
        f'<svg class="timeline" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-labelledby="timeline-title timeline-desc">'
        f'<title id="timeline-title">{xml_text(words.say("drawing.title"))}</title>'
        f'<desc id="timeline-desc">{xml_text(spoken)}</desc>'
        f"{_ticks(axis, bottom)}{rows}{_today(axis, as_of, bottom, words)}</svg>"
    )


def _axis(events: Sequence[TimelineEvent], as_of: date) -> _Axis:
    """From the first of January before the first event to the end of the last event's year, or today."""
    first = min(event.when.earliest for event in events)
    last = max(as_of, *(event.when.latest for event in events))
    return _Axis(start=date(first.year, 1, 1), end=date(last.year, 12, 31))


def _rows(events: Sequence[TimelineEvent], axis: _Axis, words: Words) -> tuple[str, int]:
    drawn: list[str] = []
    y = _TOP
    lane = ""
    for event in events:
        if event.lane != lane:
            lane = event.lane
            drawn.append(f'<text class="lane" x="0" y="{y + 15}">{xml_text(lane)}</text>')
            y += _LANE
        drawn.append(_row(event, axis, y, words.day(event.when)))
        y += _ROW
    return "".join(drawn), y


def _row(event: TimelineEvent, axis: _Axis, y: int, when: str) -> str:
    left, right = axis.x(event.when.earliest), axis.x(event.when.latest)
    label = event.label if len(event.label) <= _LABEL_LENGTH else event.label[: _LABEL_LENGTH - 1] + "…"
    middle = y + _ROW // 2 - 2
    if event.when.is_one_day:
        mark = f'<circle class="{event.style}" cx="{left}" cy="{middle}" r="5"/>'
    else:
        width = round(max(right - left, _LEAST_BAR), 1)
        mark = f'<rect class="{event.style}" x="{left}" y="{middle - 5}" width="{width}" height="10" rx="3"/>'
        right = left + width
    return (
        f"<g><title>{xml_text(event.label)}, {xml_text(when)}</title>"
        f'<line class="guide" x1="{_LABELS}" x2="{_WIDTH - _RIGHT}" y1="{middle}" y2="{middle}"/>'
        f'<text class="label" x="8" y="{y + 14}">{xml_text(label)}</text>{mark}{_date_words(when, left, right, y)}</g>'
    )


def _date_words(when: str, left: float, right: float, y: int) -> str:
    """The date beside its mark: to the right where there is room, else to the left."""
    if right + _DATE_ROOM < _WIDTH:
        return f'<text class="when" x="{right + 9:.1f}" y="{y + 14}">{xml_text(when)}</text>'
    return f'<text class="when" x="{left - 9:.1f}" y="{y + 14}" text-anchor="end">{xml_text(when)}</text>'


def _ticks(axis: _Axis, bottom: int) -> str:
    months = (axis.end.year - axis.start.year + 1) * _MONTHS_PER_YEAR
    step = next((step for step in _STEPS_MONTHS if months / step <= _most_ticks(step)), _STEPS_MONTHS[-1])
    drawn = []
    for month in range(0, months + 1, step):
        year, rest = divmod(month, _MONTHS_PER_YEAR)
        day = min(date(axis.start.year + year, rest + 1, 1), axis.end)
        words = f"{day.year if day < axis.end else day.year + 1:04d}"
        if step < _MONTHS_PER_YEAR and day < axis.end:
            words = f"{words}-{rest + 1:02d}"
        x = axis.x(day)
        drawn.append(f'<line class="tick" x1="{x}" x2="{x}" y1="20" y2="{bottom}"/>')
        drawn.append(f'<text class="tick-label" x="{x}" y="14" text-anchor="middle">{words}</text>')
    return "".join(drawn)


def _most_ticks(step: int) -> int:
    return _MOST_MONTH_TICKS if step < _MONTHS_PER_YEAR else _MOST_TICKS


def _today(axis: _Axis, as_of: date, bottom: int, words: Words) -> str:
    x = axis.x(as_of)
    told = words.say("drawing.today", day=as_of.isoformat())
    return (
        f'<line class="today" x1="{x}" x2="{x}" y1="20" y2="{bottom}"/>'
        f'<text class="today-label" x="{x - 5}" y="{_TOP + 2}" text-anchor="end">{xml_text(told)}</text>'
    )
