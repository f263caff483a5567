"""This file prints what `fillertrace replay` found: identical, or a table of what moved."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.recomputed import RecomputedVersion
from fhir_mappings.answer_changes import Moved, answers_in, answers_of, moved_answers, moved_words
from fhir_mappings.report_frame import instant

_WIDTH_WITHOUT_TERMINAL = 140
_LONGEST = 160  # of a text, in characters; the whole page in base64 helps nobody


def print_replay(found: RecomputedVersion) -> bool:
    """Compare the computation with what is stored, print it, and say whether anything moved."""
    console = _console()
    _print_head(console, found)
    then, now = found.resources_then, found.resources_now
    if found.identical:
        console.print(Text(f"identical: {len(then)} resources, byte for byte"))
        return False
    answers, words = moved_answers(answers_in(then), answers_in(now)), moved_words(then, now)
    console.print(Text(f"moved: {_count(answers)} and {len(words)} elements of the resources"))
    _print_table(console, "Answers that moved", answers, before="stored", after="now")
    _print_table(console, "Elements that differ", words, before="stored", after="now")
    return True


def print_with_current(recorded: RecomputedVersion, today: RecomputedVersion) -> bool:
    """The same inputs under the recorded and under today's knowledge base: every cause, shown in the report or not."""
    console = _console()
    knowledge = today.knowledge
    report_id = recorded.stored.id
    before = answers_of(recorded.recomputed.assessed.assessment, recorded.knowledge, report_id=report_id)
    after = answers_of(today.recomputed.assessed.assessment, knowledge, report_id=report_id)
    answers = moved_answers(before, after)
    console.print(Text(f"with today's knowledge base, edition {knowledge.edition}, sha-256 {knowledge.digest}:"))
    console.print(Text(f"moved: {_count(answers)}" if answers else "no answer moves"))
    _print_table(console, "Answers that would move", answers, before="recorded edition", after="today's edition")
    return bool(answers)


def _print_head(console: Console, found: RecomputedVersion) -> None:
    basis, stored = found.basis, found.stored
    lines = [f"report {stored.id}, version {stored.version}, {stored.status}"]
    if stored.version != found.computed.version:
        lines.append(
            f"version {stored.version} was signed or withdrawn by a person; it rests on version "
            f"{found.computed.version}, which is computed again here"
        )
    lines += [
        f"issued {instant(basis.identity.issued)} over {len(basis.resources)} resources, as of {basis.as_of}",
        f"knowledge base: edition {basis.knowledge_edition}, sha-256 {basis.knowledge_digest}",
        f"software: written by {basis.software_version}, computed again by {version('fillertrace')}",
    ]
    for line in lines:
        console.print(Text(line))


def _print_table(console: Console, title: str, moved: Sequence[Moved], *, before: str, after: str) -> None:
    if not moved:
        return
    table = Table(title=title, title_justify="left", show_lines=False)
    for heading in ("about", "what", before, after):
        table.add_column(heading, overflow="fold")
    for one in moved:
        table.add_row(*(Text(_short(text)) for text in (one.about, one.what, one.before, one.after)))
    console.print(table)


def _count(answers: Sequence[Moved]) -> str:
    return "1 answer" if len(answers) == 1 else f"{len(answers)} answers"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _console() -> Console:
    width = None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(file=sys.stdout, highlight=False, width=width)
