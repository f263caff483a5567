"""This file puts the evidence card together: what a reader needs to judge the basis of every statement of a report.

One plain dictionary, the same for the JSON answer, the HTML page and `docs/evidence.md`. Figures are counts, n of m,
written by `make score-cases`; a percentage of a tuned set would say more than is known.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from correlation.assessment import Attribution
from correlation.catalogue import Cause, Knowledge, Review, Source
from correlation.questions import QUESTIONS
from fhir_mappings import canonical

Json = dict[str, Any]

_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
_INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "product": ("filler injections",),
    "timing": ("filler injections", "dates of imaging"),
    "site": ("imaging findings", "filler injections"),
    "form": ("imaging findings",),
    "density": ("imaging findings", "filler injections"),
    "course": ("imaging findings over several studies",),
    "imaging": ("imaging reports",),
    "labs": ("laboratory results",),
    "history": ("conditions, medicines and age",),
}
"""What the questions of each file of `correlation/questions/` look at."""


def evidence_card(knowledge: Knowledge, *, software_version: str) -> Json:
    """The whole card."""
    statements, figures = _statements(), _figures()
    return {
        "title": statements["title"],
        "software": {"name": canonical.SOFTWARE_NAME, "version": software_version},
        "knowledge": {
            "edition": knowledge.edition,
            "digest": knowledge.digest,
            "issued": _day(knowledge.issued),
            "next_review": _day(knowledge.next_review),
            "status": knowledge.status,
        },
        "review": statements["not_reviewed"],
        "intended_use": statements["intended_use"],
        "inputs": statements["inputs"],
        "method": statements["method"]["words"],
        "limits": statements["limits"]["words"],
        "benchmark": {
            **{name: value for name, value in figures.items() if name != "reading"},
            "attributions": [one.value for one in Attribution],
            "words": statements["benchmark"],
        },
        "reading": {"words": statements["reading"], "parts": figures["reading"]},
        "causes": [
            _cause(cause, knowledge, figures=figures, not_reviewed=statements["not_reviewed"])
            for cause in knowledge.causes.values()
        ],
        "sources": [_source(source) for source in knowledge.sources.values()],
        "source_attributes": {
            "evidence_based": statements["attribute"],
            "predictive": {
                "why_not_applicable": statements["predictive"]["why"],
                "groups": [{"name": name, "attributes": count} for name, count in statements["predictive"]["groups"]],
            },
        },
    }


@cache
def _statements() -> Json:
    return tomllib.loads((files("fhir_mappings") / "evidence" / "statements.toml").read_text("utf-8"))


@cache
def _figures() -> Json:
    found: Json = json.loads((files("fhir_mappings") / "evidence" / "figures.json").read_text("utf-8"))
    return found


def _cause(cause: Cause, knowledge: Knowledge, *, figures: Json, not_reviewed: str) -> Json:
    inputs = [name for question in cause.questions for name in _INPUTS[_file_of(question.id)]]
    cited = dict.fromkeys([*cause.sources, *(source for question in cause.questions for source in question.sources)])
    return {
        "id": cause.id,
        "name": cause.name,
        "summary": cause.summary,
        "kind": "from a filler on record" if cause.from_filler else "not from a filler on record",
        "systemic": cause.systemic,
        "questions": [question.ask for question in cause.questions],
        "inputs": list(dict.fromkeys(inputs)),
        "next_step": cause.next_step,
        "sources": [_source(knowledge.sources[id_]) for id_ in cited],
        "review": _reviewed(cause.review, not_reviewed=not_reviewed),
        "benchmark": {
            name: found["by_cause"].get(cause.id, {"cases": 0, "top": 0, "right": 0})
            for name, found in figures["sets"].items()
        },
        "misses": [
            miss["case"] for found in figures["sets"].values() for miss in found["misses"] if miss["cause"] == cause.id
        ],
    }


def _file_of(question: str) -> str:
    return QUESTIONS[question].__module__.rpartition(".")[2]


def _source(source: Source) -> Json:
    years = _YEAR.findall(source.title)
    return {
        "id": source.id,
        "title": source.title,
        "kind": source.kind,
        "year": years[0] if years else "not recorded",
        "reference": source.reference or "none",
        "checked": source.checked,
    }


def _reviewed(review: Review, *, not_reviewed: str) -> str:
    if not review.checked_by:
        return not_reviewed
    return f"Checked by {review.checked_by} on {_day(review.reviewed_on)}"


def _day(day: object) -> str:
    return str(day) if day is not None else "not recorded"
