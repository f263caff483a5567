"""`fillertrace correlate FILE|-`: one FHIR Bundle in, the result Bundle on stdout. Stores nothing, sends nothing.

Messages go to stderr. Exit code 0 done, 2 wrong usage, 3 the bundle is refused (its OperationOutcome is on stdout).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import BinaryIO

from cli.answer_form import add_form_arguments, moment
from cli.exit_codes import WRONG_USAGE
from cli.verb import Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("file", metavar="FILE", help="a file with one FHIR R4 Bundle as JSON; - reads standard input")
    add_form_arguments(parser)
    parser.add_argument(
        "--ndjson",
        action="store_true",
        help="one Bundle a line in, one line per line out in the same order; a line that cannot be used gives one "
        "OperationOutcome line, and exit code 1 at the end",
    )
    parser.add_argument(
        "--processes", type=_count, default=1, metavar="N", help="with --ndjson: spread the lines over N processes"
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Correlate one bundle, or one per line."""
    if arguments.ndjson and arguments.format != "json":
        print("fillertrace correlate: --ndjson writes JSON; leave --format out.", file=sys.stderr)
        return WRONG_USAGE
    if arguments.processes > 1 and not arguments.ndjson:
        print("fillertrace correlate: --processes needs --ndjson.", file=sys.stderr)
        return WRONG_USAGE
    from cli.stateless_answer import spoken_language

    language = spoken_language(arguments.language)
    if language is None:
        print(f"fillertrace correlate: no words for --language {arguments.language}; try en or es.", file=sys.stderr)
        return WRONG_USAGE
    as_of, issued = moment(arguments.as_of)
    try:
        with _opened(arguments.file) as source:
            if arguments.ndjson:
                from cli.ndjson import correlate_lines

                return correlate_lines(
                    source,
                    sys.stdout.buffer,
                    as_of=as_of,
                    issued=issued,
                    processes=arguments.processes,
                    language=language,
                )
            raw = source.read()
    except OSError as fault:
        print(f"fillertrace correlate: {arguments.file}: {fault.strerror}", file=sys.stderr)
        return WRONG_USAGE
    return _correlate_one(raw, chosen=arguments.format, as_of=as_of, issued=issued, language=language)


def _correlate_one(raw: bytes, *, chosen: str, as_of: date, issued: datetime, language: str) -> int:
    # Imported here: the usage errors above must not wait for the FHIR models.
    from cli.stateless_answer import answer_bundle, print_answer

    answer = answer_bundle(raw, as_of=as_of, issued=issued, language=language)
    return print_answer(answer, chosen=chosen)


def _opened(name: str) -> BinaryIO:
    return open(sys.stdin.fileno(), "rb", closefd=False) if name == "-" else open(name, "rb")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("a number of processes from 1 to 64")
    return int(text)


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace correlate bundle.json --format worksheet\n"
    "  fillertrace correlate bundle.json --format html --language es > worksheet.html\n"
    "  cat bundles.ndjson | fillertrace correlate - --ndjson --processes 2 > results.ndjson",
)
