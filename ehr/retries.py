"""This file tries again what failed for a temporary reason, and waits in between as long as the server asks.

Retry-After in both its forms: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from ehr.errors import Unavailable

LONGEST_PAUSE_SECONDS = 60.0
_T = TypeVar("_T")


def try_again(work: Callable[[], _T], *, attempts: int, pause_seconds: float) -> _T:
    """What `work` gives, tried up to `attempts` times while it raises Unavailable; the last one is raised."""
    for attempt in range(attempts - 1):
        try:
            return work()
        except Unavailable as failure:
            time.sleep(pause_after(failure, attempt=attempt, pause_seconds=pause_seconds))
    return work()


def pause_after(failure: Unavailable, *, attempt: int, pause_seconds: float) -> float:
    """How long to wait after the attempt of this number: twice as long each time, or as long as the server asked.

    >>> [pause_after(Unavailable(""), attempt=attempt, pause_seconds=0.2) for attempt in range(3)]
    [0.2, 0.4, 0.8]
    """
    doubled = math.ldexp(pause_seconds, attempt)
    return min(max(doubled, failure.retry_after_seconds), LONGEST_PAUSE_SECONDS)


def retry_after_seconds(header: str | None, *, now: datetime) -> float:
    """What Retry-After asks for, in seconds; 0 where it asks for nothing that can be read.

    >>> retry_after_seconds("Sat, 28 Nov 2026 12:00:05 GMT", now=datetime(2026, 11, 28, 12, tzinfo=UTC))
    5.0
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
