"""`fillertrace worker`: one background worker.

FILLERTRACE_DATABASE_URL and FILLERTRACE_REDIS_URL name record and queue. Start any number, on any
machine that reaches both. Stops on SIGTERM and Ctrl-C after its current job.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from cli.verb import Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb: none; everything is a setting."""


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Work until a signal comes."""
    # Imported here: --help must not wait for the FHIR models.
    from workers import main

    return main.run(environment)


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="FILLERTRACE_DATABASE_URL=postgresql://me@db/ft FILLERTRACE_REDIS_URL=redis://redis/0 fillertrace worker",
)
