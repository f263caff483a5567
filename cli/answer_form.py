"""This file holds the arguments by which an answer is asked for: in which form, which language, as on which day."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, time

FORMATS = ("json", "worksheet", "html")


def add_form_arguments(parser: argparse.ArgumentParser) -> None:
    """`--format`, `--language` and `--as-of`."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="json",
        help="json: the result Bundle (default); worksheet: plain text; html: the worksheet as a page",
    )
    parser.add_argument(
        "--language",
        default="en",
        metavar="TAG",
        help="the language of worksheet, page and texts: en (default) or es; a tag such as es-ES is understood",
    )
    parser.add_argument(
        "--as-of",
        type=_day,
        default=None,
        metavar="DATE",
        help="assess as on this day (YYYY-MM-DD) instead of today; the answer is then the same on every run",
    )


def moment(day: date | None) -> tuple[date, datetime]:
    """The day to assess on and the instant to write on the report; both fixed where a day is given."""
    if day is None:
        now = datetime.now(UTC)
        return now.date(), now
    return day, datetime.combine(day, time(), UTC)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is written YYYY-MM-DD, such as 2025-06-30") from None
