"""This file turns the bytes of one bundle into an answer to print, without a record: the stateless way."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import metadata

from cli.exit_codes import BUNDLE_REFUSED, DONE
from correlation.catalogue import Knowledge
from correlation.knowledge_base import load_knowledge
from correlation.timeline import Withheld
from correlation.words import BASE_LANGUAGE, lookup
from fhir_mappings.bundle import BundleRejected, parse_bundle
from fhir_mappings.issues import Issue, operation_outcome
from fhir_mappings.limits import DEFAULT_LIMITS, Limits
from fhir_mappings.resource_json import dumps
from fhir_mappings.stateless import correlate_parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One bundle's answer. Where it is `refused`, `json` is an OperationOutcome and `issues` says why, in words.

    Two answers with the same `content_digest` say the same about the same facts.
    """

    json: bytes
    refused: bool = False
    worksheet: bytes = b""
    html: bytes = b""
    content_digest: str = ""
    issues: tuple[str, ...] = ()


@cache
def load_once() -> Knowledge:
    """The knowledge base, read once per process."""
    return load_knowledge()


def spoken_language(tag: str) -> str | None:
    """The language of ours that a tag asks for, such as `es` for `es-MX`; `None` where it has no words here."""
    return lookup(tag, load_once().in_languages)


def answer_bundle(
    raw: bytes,
    *,
    as_of: date,
    issued: datetime,
    language: str = BASE_LANGUAGE,
    limits: Limits = DEFAULT_LIMITS,
    withheld: Iterable[Withheld] = (),
    report_id: str | None = None,
    version: int = 1,
) -> Answer:
    """Correlate one bundle; never raises on what a bundle holds, so that one line never costs the next.

    `withheld` are the classes of data that it is known to lack; `report_id` and `version` are those that the report
    gets, where it is known elsewhere already.
    """
    try:
        result = correlate_parsed(
            parse_bundle(raw, limits=limits),
            knowledge=load_once().in_language(language),
            as_of=as_of,
            issued=issued,
            software_version=metadata.version("fillertrace"),
            withheld=withheld,
            report_id=report_id,
            version=version,
        )
        return Answer(
            json=dumps(result.bundle),
            worksheet=result.worksheet.encode(),
            html=result.html.encode(),
            content_digest=result.content_digest,
        )
    except BundleRejected as rejected:
        return _refusal(rejected.issues)
    except Exception as fault:  # a fault of ours; its message could quote the record, its type and place cannot
        place = traceback.extract_tb(fault.__traceback__)[-1]
        text = (
            f"A fault in fillertrace ({type(fault).__name__} at {place.name}, line {place.lineno}); please report it."
        )
        return _refusal((Issue(severity="error", code="exception", detail="fault", text=text, expression=()),))


def print_answer(answer: Answer, *, chosen: str) -> int:
    """The answer in the chosen form on standard output, or the refusal there and in words; the exit code."""
    forms = {"json": answer.json, "worksheet": answer.worksheet, "html": answer.html}
    text = forms["json" if answer.refused else chosen]
    sys.stdout.buffer.write(text.rstrip(b"\n") + b"\n")
    sys.stdout.buffer.flush()
    for issue in answer.issues:
        print(f"refused: {issue}", file=sys.stderr)
    return BUNDLE_REFUSED if answer.refused else DONE


def _refusal(issues: tuple[Issue, ...]) -> Answer:
    return Answer(
        json=dumps(operation_outcome(issues)),
        refused=True,
        issues=tuple(f"{issue.detail}: {issue.text}" for issue in issues if issue.severity == "error"),
    )
