"""This file is the `fillertrace` command: it finds the verb, reads the environment once, and hands both on.

Each verb is a file of its own in this folder, loaded when it is asked for, so that `--help` waits for nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version

from cli.exit_codes import WRONG_USAGE
from cli.verb import Verb

VERBS: Mapping[str, str] = {
    "serve": "everything in one: HTTP, workers, and by default an embedded Redis and SQLite",
    "api": "the HTTP door alone; Redis and database by their settings",
    "worker": "one background worker; Redis and database by their settings",
    "correlate": "a FHIR Bundle in, the result Bundle out; stores nothing",
    "pull": "one patient from a FHIR server, correlated; the report may go back there",
    "keys": "the keys by which FHIR servers know us: list, make, put first, take away",
    "demo": "solve the published case over HTTP, Redis and a worker process",
    "knowledge": "render or check the knowledge base",
    "replay": "compute a stored report again from what was recorded, and compare",
    "settings": "every setting with its meaning and value; secrets masked",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; its exit code. 2 is wrong usage, as argparse has it."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    if not asked or asked[0] not in VERBS:
        return _without_verb(asked)
    verb = _verb(asked[0])
    parser = argparse.ArgumentParser(
        prog=f"fillertrace {asked[0]}",
        description=verb.description,
        epilog=f"example:\n  {verb.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    parsed = parser.parse_args(asked[1:])
    try:
        return verb.run(parsed, dict(os.environ))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`). Nothing more can be said to it, not even at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _verb(name: str) -> Verb:
    verb: Verb = import_module(f"cli.{name}").VERB
    return verb


def _without_verb(asked: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="fillertrace",
        description="Correlates dermal filler history with imaging and laboratory findings, and answers in FHIR R4.",
        epilog="verbs:\n"
        + "\n".join(f"  {name:<11}{says}" for name, says in VERBS.items())
        + "\n\n`fillertrace VERB --help` says more.\nexample: fillertrace correlate record.json --format worksheet",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fillertrace {version('fillertrace')}")
    parser.add_argument("verb", choices=list(VERBS), metavar="VERB", help="one of the verbs below")
    parser.parse_args(asked or ["--help"])
    return WRONG_USAGE


if __name__ == "__main__":
    sys.exit(main())
