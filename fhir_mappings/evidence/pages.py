"""This file writes the evidence card as an HTML page without script, and as Markdown for the documentation."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template


def evidence_html(card: dict[str, Any]) -> str:
    """The page, for a browser and for print."""
    return _template("evidence.html.j2", escaped=True).render(card=card)


def evidence_markdown(card: dict[str, Any]) -> str:
    """The same as Markdown."""
    return _template("evidence.md.j2", escaped=False).render(card=card)


@cache
def _template(name: str, *, escaped: bool) -> Template:
    text = files("fhir_mappings").joinpath(f"templates/{name}").read_text(encoding="utf-8")
    # What is rendered is ours, all of it from the package; Markdown has nothing to escape into.
    environment = Environment(
        autoescape=escaped, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(text)
