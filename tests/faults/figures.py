"""Writes a row of figures into its table of docs/faults.md."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/faults.md"


def add_row(heading: str, *cells: object) -> None:
    """A new last row of the table under this heading."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    at = lines.index(f"## {heading}")
    following = next(
        (at + 1 + offset for offset, line in enumerate(lines[at + 1 :]) if line.startswith("## ")), len(lines)
    )
    last = max(number for number in range(at, following) if lines[number].startswith("|"))
    lines.insert(last + 1, f"| {' | '.join(map(str, cells))} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
