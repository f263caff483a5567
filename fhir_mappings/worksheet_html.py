"""This file writes the HTML worksheet: one self-contained page without script, for screen and print.

The page's layout is `templates/worksheet.html.j2`; everything from a record is escaped by the template engine.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from fhir_mappings.worksheet_view import WorksheetHeader, worksheet_view


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
    return environment.from_string(text)
