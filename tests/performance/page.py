"""Writes docs/performance.md: the figures as they are, with machine, day, command and load."""

import os
import platform
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

WIDTH = 120
INTRODUCTION = """
Written by `make benchmark`; not edited by hand. A report, not a test: figures differ from machine to machine, and the
clients run on the same cores as the servers. All figures are of one run, so compare ratios.
"""
HOW = """
How it was measured: Fillertrace is `fillertrace serve` with two workers, SQLite on disk with full synchronisation and
an embedded Redis; HAPI is `deploy/hapi` with H2 on disk. Both get the ten entries of tests/examples/cases/V06, each
time of another patient: Fillertrace as a collection to `$correlate`, HAPI as a transaction of creates. 202 is the
answer to `Prefer: respond-async` (stored, not yet correlated), 200 the report itself. A throughput counts until the
last report is stored. CPU is user and system time of the processes, without Redis and clients. The engine's figures are
the best of many rounds; its sentences are written when they are first read. A patient who grows gets laboratory
results; then ten bundles with one new result each are sent one by one, with one worker. HAPI is warmed up by 200
transactions, Fillertrace by 100 bundles. "Cores busy" counts everything on the machine, ours or not: a reference and
our figure are taken one after the other, so a load that changes in between shifts their ratio.
"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `reached` is None where there is no goal."""

    name: str
    ours: str
    reference: str
    goal: str
    measured: str
    reached: bool | None

    @classmethod
    def limit(cls, name: str, milliseconds: float, most: float | None) -> Self:
        """CPU time that must stay below so many milliseconds."""
        return cls(
            name=name,
            ours=f"{milliseconds:.2f} ms",
            reference="–",
            goal="–" if most is None else f"≤ {most:g} ms",
            measured=f"{milliseconds:.2f} ms",
            reached=None if most is None else milliseconds <= most,
        )

    @property
    def verdict(self) -> str:
        """Whether the goal was reached, in a word."""
        return "–" if self.reached is None else "yes" if self.reached else "**no**"

    def row(self) -> str:
        """The figure for the page."""
        cells = (self.name, self.ours, self.reference, self.goal, self.measured, self.verdict)
        return f"| {' | '.join(cells)} |"

    def line(self) -> str:
        """The figure for the terminal."""
        reached = self.verdict.strip("*")
        return f"{self.name:<58} {self.ours:<34} {self.measured:>12}  {self.goal:<24} {reached:<3}  {self.reference}"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the run: what it found, how long it took and how busy the machine was meanwhile."""

    name: str
    found: Any
    seconds: float
    busy_cores: float


def write_page(
    path: Path, figures: Sequence[Figure], sections: Sequence[Section], *, command: str, seconds: float
) -> None:
    """Write the page anew."""
    path.write_text("\n".join(_lines(figures, sections, command=command, seconds=seconds)) + "\n")


def _lines(figures: Sequence[Figure], sections: Sequence[Section], *, command: str, seconds: float) -> list[str]:
    cores = os.cpu_count() or 1
    one, five, _ = os.getloadavg()
    reached = [figure.reached for figure in figures if figure.reached is not None]
    return [
        "# Performance",
        "",
        *_wrapped(INTRODUCTION),
        "",
        f"- Command: `{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds:.0f} s",
        f"- Machine: {_processor()}, {cores} cores, {_memory()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}",
        f"- Load average at the end: {one:.1f} (1 min), {five:.1f} (5 min); the second table says how busy the cores",
        "  were, with the processes of others on this machine",
        f"- Goals reached: {sum(reached)} of {len(reached)}",
        "",
        "| figure | Fillertrace | reference of the same run | goal | measured | reached |",
        "|---|---|---|---|---|---|",
        *(figure.row() for figure in figures),
        "",
        "| part of the run | seconds | cores busy |",
        "|---|---|---|",
        *(f"| {section.name} | {section.seconds:.0f} | {section.busy_cores:.1f} of {cores} |" for section in sections),
        "",
        *_wrapped(HOW),
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, break_on_hyphens=False)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory() -> str:
    kilobytes = int(Path("/proc/meminfo").read_text().split("\n")[0].split()[1])
    return f"{kilobytes / 1024**2:.0f} GiB"
