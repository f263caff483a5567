"""This file shows how long fillers are expected to be seen as calcium on CT: a table, and a picture of the same.

Every number is one of the knowledge base and stands with its source. The picture is an SVG without script or font of
its own; `docs/knowledge.md` shows it beside the table that says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from correlation.catalogue import Knowledge, Material, Measure
from correlation.knowledge_page_words import cited, table

PICTURE = "visibility.svg"
LABEL = "expert-set, uncalibrated"
TITLE = "Calcium of fillers on CT over time since the last injection"

# How deposits of calcium hydroxylapatite fade: the measure that ends a band, its name, words of the table, its shade.
BANDS = (
    ("caha_ct_expected_until", "expected", "expected", "#2f7d6d"),
    ("caha_ct_residual_until", "thin residue", "thin residual deposits", "#79b3a6"),
    ("caha_ct_uncommon_until", "uncommon", "uncommon; a bulky dense plaque asks for another explanation", "#bcd9d2"),
    ("caha_ct_rare_until", "rare", "rare", "#e3efec"),
)
LAST = BANDS[-1][0]

# Sizes in the picture's own frame
WIDTH, LEFT, RIGHT = 960, 250, 24
TOP, ROW, BAR = 64, 40, 18
TICK_MONTHS = 12
AFTER = 12  # months drawn behind the last band
LETTER = 6.6  # about the width of a letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of months of one row; `until` is `None` for as long as the material is there."""

    begin: int
    until: int | None
    words: str
    fill: str


def visibility_section(measures: Mapping[str, Measure]) -> str:
    """The section of the knowledge page."""
    rows, begin = [], "0"
    for name, _, says, _ in BANDS:
        measure = measures[name]
        rows.append((f"{begin} to {measure.value} months", says, cited((measure.source,))))
        begin = str(measure.value)
    rows.append((f"after {begin} months", "not expected", cited((measures[LAST].source,))))
    return "\n\n".join(
        (
            "## How long calcium hydroxylapatite is expected on CT",
            "**Expert-set, uncalibrated.** No published series says how often deposits are still seen at each time. "
            "Known points: nearly all just after treatment [carr08]; thin residues at 36 months in one patient [seed].",
            f"![{TITLE}, {LABEL}. The table below and the tables of the materials say the same in words.]({PICTURE})",
            table(("Since the last injection in that region", "Deposits on CT", "Source"), rows),
        )
    )


def picture(knowledge: Knowledge) -> str:
    """The SVG file: a row for each material that is calcific or may become so; the others in one line below."""
    end = int(knowledge.measures[LAST].value) + AFTER
    calcific = [item for item in knowledge.materials.values() if item.on_ct == "calcific"]
    late = [item for item in knowledge.materials.values() if item.calcifies_after_months is not None]
    others = [item.name for item in knowledge.materials.values() if item not in (*calcific, *late)]
    rows = [*(("caha" if item.id == "caha" else "", item) for item in calcific), *(("late", item) for item in late)]
    bottom = TOP + ROW * len(rows)
    bars = [_bars(kind, item, knowledge) for kind, item in rows]
    drawn = [_row(item, bars[place], y=TOP + ROW * place, end=end) for place, (_, item) in enumerate(rows)]
    lines = _wrapped(f"Not drawn, for no time of calcification is known or they hold no calcium: {', '.join(others)}.")
    height = bottom + 30 + 16 * len(lines)
    told = "; ".join(_told(item, bars[place]) for place, (_, item) in enumerate(rows))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-labelledby="title desc" font-family="Arial, sans-serif" font-size="12" fill="#1d2733">',
            f'<title id="title">{TITLE} ({LABEL})</title>',
            f'<desc id="desc">{escape(told)}.</desc>',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="10" y="20" font-size="15" font-weight="bold">{TITLE}</text>',
            f'<text x="{WIDTH - RIGHT}" y="20" text-anchor="end" font-weight="bold" fill="#8c1d15">{LABEL}</text>',
            *_ticks(end, bottom),
            *drawn,
            *(f'<text x="10" y="{bottom + 28 + 16 * place}">{escape(line)}</text>' for place, line in enumerate(lines)),
            "</svg>\n",
        )
    )


def _bars(kind: str, material: Material, knowledge: Knowledge) -> tuple[Bar, ...]:
    if kind == "caha":
        return tuple(_bands(knowledge.measures))
    if kind == "late" and material.calcifies_after_months is not None:
        since = material.calcifies_after_months
        often = "may calcify, rare" if material.late_calcification == "rare" else "may calcify"
        words = f"{often}, from {since.value} months {cited((since.source,))}"
        return (Bar(begin=int(since.value), until=None, words=words, fill="#d9c7a8"),)
    visible = material.visible_months_ct
    return (_visible(visible),) if visible is not None else ()


def _visible(until: Measure) -> Bar:
    words = f"expected to {until.value} months {cited((until.source,))}"
    return Bar(begin=0, until=int(until.value), words=words, fill=BANDS[0][3])


def _bands(measures: Mapping[str, Measure]) -> Iterator[Bar]:
    begin = 0
    for name, words, _, fill in BANDS:
        measure = measures[name]
        yield Bar(begin=begin, until=int(measure.value), words=f"{words} {cited((measure.source,))}", fill=fill)
        begin = int(measure.value)


def _told(material: Material, bars: tuple[Bar, ...]) -> str:
    return f"{material.name}: {', '.join(_spoken(bar) for bar in bars)}"


def _spoken(bar: Bar) -> str:
    if bar.until is None:
        return f"from {bar.begin} months on, {bar.words}"
    return f"{bar.begin} to {bar.until} months, {bar.words}"


def _x(months: int, end: int) -> float:
    return round(LEFT + months / end * (WIDTH - LEFT - RIGHT), 1)


def _row(material: Material, bars: tuple[Bar, ...], *, y: int, end: int) -> str:
    parts = [f'<text x="10" y="{y + 13}">{escape(material.name)}</text>']
    for bar in bars:
        left, right = _x(bar.begin, end), _x(bar.until if bar.until is not None else end, end)
        parts.append(f'<rect x="{left}" y="{y}" width="{round(right - left, 1)}" height="{BAR}" fill="{bar.fill}"/>')
        parts.append(_words(bar, left, right, y))
    return "".join(parts)


def _words(bar: Bar, left: float, right: float, y: int) -> str:
    """Inside the bar where there is room, else below it."""
    inside = len(bar.words) * LETTER < right - left
    colour = ' fill="#ffffff"' if inside and bar.fill == BANDS[0][3] else ""
    x, below = (left + 5, 13) if inside else (left, BAR + 12)
    return f'<text x="{x:.1f}" y="{y + below}"{colour}>{escape(bar.words)}</text>'


def _ticks(end: int, bottom: int) -> Iterator[str]:
    for months in range(0, end + 1, TICK_MONTHS):
        x = _x(months, end)
        yield f'<line x1="{x}" x2="{x}" y1="48" y2="{bottom}" stroke="#d5dbe1"/>'
        yield f'<text x="{x}" y="42" text-anchor="middle" fill="#55616e">{months}</text>'
    yield f'<text x="{LEFT - 12}" y="42" text-anchor="end" fill="#55616e">months</text>'


def _wrapped(text: str) -> list[str]:
    lines, most = [""], int((WIDTH - 20) / LETTER)
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
