"""This file runs `correlate --ndjson`: many bundles, one a line, in bounded memory and in order."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import IO

from cli.exit_codes import DONE, SOME_LINES_REFUSED
from cli.stateless_answer import answer_bundle, load_once
from correlation.words import BASE_LANGUAGE

_LINES_PER_TASK = 8
_TASKS_AHEAD_PER_PROCESS = 4
_PROGRESS_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswer:
    """What one line became: the line to write, and the refusals in words."""

    json: bytes
    refused: bool
    issues: tuple[str, ...]


def correlate_lines(
    source: Iterable[bytes],
    output: IO[bytes],
    *,
    as_of: date,
    issued: datetime,
    processes: int,
    language: str = BASE_LANGUAGE,
) -> int:
    """Write one line for each line of `source`; exit code 1 where some were refused."""
    answer = partial(_answer_lines, as_of=as_of, issued=issued, language=language)
    batches = _batches(source)
    answered = _spread(batches, answer, processes=processes) if processes > 1 else map(answer, batches)
    progress = _Progress()
    refused = 0
    for batch in answered:
        for line in batch:
            progress.count()
            output.write(line.json + b"\n")
            if line.refused:
                refused += 1
                for issue in line.issues:
                    progress.say(f"line {progress.lines}: {issue}")
        output.flush()
    progress.end(refused)
    return SOME_LINES_REFUSED if refused else DONE


def _answer_lines(lines: list[bytes], *, as_of: date, issued: datetime, language: str) -> list[LineAnswer]:
    answers = (answer_bundle(line, as_of=as_of, issued=issued, language=language) for line in lines)
    return [LineAnswer(json=answer.json, refused=answer.refused, issues=answer.issues) for answer in answers]


def _batches(source: Iterable[bytes]) -> Iterator[list[bytes]]:
    lines = iter(source)
    while batch := list(islice(lines, _LINES_PER_TASK)):
        yield batch


def _spread(
    batches: Iterator[list[bytes]], answer: partial[list[LineAnswer]], *, processes: int
) -> Iterator[list[LineAnswer]]:
    """The answers in the order of the batches, with no more than a few batches in the air."""
    with ProcessPoolExecutor(max_workers=processes, initializer=load_once) as pool:
        ahead: deque[Future[list[LineAnswer]]] = deque()
        for batch in islice(batches, processes * _TASKS_AHEAD_PER_PROCESS):
            ahead.append(pool.submit(answer, batch))
        while ahead:
            done = ahead.popleft().result()
            following = next(batches, None)
            if following is not None:
                ahead.append(pool.submit(answer, following))
            yield done


class _Progress:
    """A count on one line of stderr, where stderr is a terminal; messages go above it."""

    def __init__(self) -> None:
        self.lines = 0
        self._shown = sys.stderr.isatty()
        self._started = self._last = time.monotonic()

    def count(self) -> None:
        """One more line is done."""
        self.lines += 1
        now = time.monotonic()
        if self._shown and now - self._last >= _PROGRESS_EVERY_SECONDS:
            self._last = now
            rate = self.lines / (now - self._started)
            print(f"\r{self.lines} bundles, {rate:.0f} a second\033[K", end="", file=sys.stderr, flush=True)

    def say(self, message: str) -> None:
        """Print a message on a line of its own."""
        print(f"\r\033[K{message}" if self._shown else message, file=sys.stderr)

    def end(self, refused: int) -> None:
        """Say at the end what was done."""
        if self._shown or refused:
            self.say(f"{self.lines} lines, {refused} of them refused")
