"""This file writes the HTML worksheet: one self-contained page without script, for screen and print.

The page's layout is `templates/worksheet.html.j2`; everything from a record is escaped by the template engine.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from fhir_mappings.worksheet_view import WorksheetHeader, worksheet_view

_DAY: Final = re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b")


def worksheet_html(assessment: Assessment, knowledge: Knowledge, *, header: WorksheetHeader) -> str:
    """The page, for a report or (without `report_id`) for an assessment that made none."""
    view = worksheet_view(assessment, knowledge, header=header)
    # The drawing escapes its own words.
    view["timeline"] = Markup(view["timeline"])
    return _template().render(view)


@cache
def _template() -> Template:
    text = files("fhir_mappings").joinpath("templates/worksheet.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["days"] = _unbroken_days
    return environment.from_string(text)


def _unbroken_days(words: str) -> Markup:
    """The words, escaped, with each date kept on one line."""
    return Markup(_DAY.sub(r'<span class="day">\g<0></span>', str(escape(words))))
