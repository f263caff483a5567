"""`fillertrace knowledge`: the knowledge base as a page to read (`render`), or whether it loads (`check`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from cli.exit_codes import DONE, FAILED
from cli.verb import Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "what",
        choices=("render", "check"),
        help="render: Markdown on stdout; check: load it strictly and say what it is",
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Load the knowledge base, and render it where asked."""
    from correlation.errors import KnowledgeError
    from correlation.knowledge_base import load_knowledge

    try:
        knowledge = load_knowledge()
    except KnowledgeError as fault:
        print(f"fillertrace knowledge: {fault}", file=sys.stderr)
        return FAILED
    if arguments.what == "render":
        from correlation.knowledge_page import render

        sys.stdout.write(render(knowledge))
    else:
        print(
            f"edition {knowledge.edition}: {len(knowledge.causes)} causes, {len(knowledge.materials)} materials, "
            f"{len(knowledge.regions)} regions, {len(knowledge.labs)} labs, {len(knowledge.alerts)} alerts, "
            f"{len(knowledge.sources)} sources; sha-256 {knowledge.digest}; {knowledge.status}"
        )
    return DONE


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace knowledge render > docs/knowledge.md",
)
