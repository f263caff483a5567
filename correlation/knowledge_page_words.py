"""This file holds the words and the table layout that all parts of the knowledge page share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from correlation.catalogue import Knowledge, Measure, Review

NOT_REVIEWED = "not reviewed by a clinician"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped and a line break becomes a blank."""
    lines = [_row(head), _row(["---"] * len(head))]
    return "\n".join(lines + [_row(row) for row in rows])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def reviewed(review: Review) -> str:
    """Who checked an entry, or that nobody has."""
    if not review.checked_by:
        return f"**{NOT_REVIEWED}** (written by {review.authored_by})"
    until = f", next review {review.next_review.isoformat()}" if review.next_review else ""
    day = review.reviewed_on.isoformat() if review.reviewed_on else "a day not given"
    return f"checked by {review.checked_by} on {day}{until} (written by {review.authored_by})"


def file_review(knowledge: Knowledge, path: str) -> str:
    """One sentence on the review of a file that holds many entries."""
    review = knowledge.file_reviews.get(path)
    return f"Review: {reviewed(review)}." if review else f"Review: **{NOT_REVIEWED}**."


def cited(sources: Iterable[str]) -> str:
    """Source ids in brackets."""
    return ", ".join(f"[{source}]" for source in sources)


def measured(measure: Measure) -> str:
    """A number with its unit and its source, months in plain words."""
    unit = {"mo": "months", "d": "days", "a": "years", "[hnsf'U]": "HU"}.get(measure.unit, measure.unit)
    return f"{measure.value} {unit} [{measure.source}]"


def names(knowledge: Knowledge, name: Callable[[Knowledge], str]) -> str:
    """What something is called in every language, the page's own first."""
    others = (name(spoken) for code, spoken in knowledge.in_languages.items() if code != knowledge.words.code)
    return " / ".join((name(knowledge), *others))


def yes_no(value: bool) -> str:
    """A flag in words."""
    return "yes" if value else "no"
