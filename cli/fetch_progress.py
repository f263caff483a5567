"""This file shows on stderr how far a fetch is: a bar on a terminal, a line for each step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class FetchProgress:
    """Use it in a `with`; the bar is gone at the end, as what was fetched is then said in words."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        if self._console.is_terminal:
            columns = (
                TextColumn("fetching {task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, type_: str, done: int, total: int) -> None:
        """Say that this type is asked for now, after so many steps of all."""
        if self._bar:
            self._bar.update(self._task, description=type_, completed=done, total=total)
        else:
            self._console.print(f"… {type_} ({done + 1} of {total})", markup=False)
