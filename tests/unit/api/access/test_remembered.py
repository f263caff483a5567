"""A slow issuer holds the one thread that asks it, and no other for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.access.errors import IssuerAway
from api.access.remembered import WAIT_SECONDS, Remembered
from tests.unit.api.access.issuer import Clock


class SlowIssuer:
    """Answers with a number, when `answers` is set; `asked` is set once somebody waits for it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.count = 0

    def __call__(self) -> int:
        self.asked.set()
        assert self.answers.wait(20)
        self.count += 1
        return self.count


def _timed(ask: Callable[[], int]) -> tuple[int, float]:
    started = time.monotonic()
    return ask(), time.monotonic() - started


def test_who_has_something_to_go_on_with_does_not_wait() -> None:
    issuer, clock = SlowIssuer(), Clock()
    issuer.answers.set()
    remembered = Remembered(issuer, seconds=300, clock=clock)
    assert remembered.get() == 1
    issuer.answers.clear()
    issuer.asked.clear()
    clock.now += 301
    with ThreadPoolExecutor(1) as other:
        fetching = other.submit(remembered.get)
        assert issuer.asked.wait(5)
        found, seconds = _timed(remembered.get)
        assert (found, seconds < WAIT_SECONDS / 2) == (1, True)
        found, seconds = _timed(lambda: remembered.get(again=True))  # a strange token waits a little, and no more
        assert (found, seconds < 3 * WAIT_SECONDS) == (1, True)
        issuer.answers.set()
        assert fetching.result(5) == 2
    assert remembered.get() == 2


def test_who_has_nothing_to_go_on_with_waits_a_little() -> None:
    issuer = SlowIssuer()
    remembered = Remembered(issuer, seconds=300)
    with ThreadPoolExecutor(1) as other:
        fetching = other.submit(remembered.get)
        assert issuer.asked.wait(5)
        started = time.monotonic()
        with pytest.raises(IssuerAway):
            remembered.get()
        assert time.monotonic() - started < 3 * WAIT_SECONDS
        issuer.answers.set()
        assert fetching.result(5) == 1
    assert remembered.get() == 1
