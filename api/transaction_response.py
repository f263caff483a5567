"""This file writes the answer to a transaction or batch: one entry for each entry, in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.access.sight import Sight
from api.entry_reads import answers_of
from api.receiving import KickOff, kick_off_from
from api.resources import find
from api.returning import MINIMAL, OUTCOME, REPRESENTATION, content_for, outcome
from fhir_mappings.bundle import ParsedBundle, ParsedEntry, parse_bundle
from fhir_mappings.etags import etag
from fhir_mappings.issues import INFORMATION, Issue, operation_outcome
from fhir_mappings.own_output import is_own_output
from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import loads
from fhir_mappings.resource_types import KEPT_TYPES
from store.errors import NotFound
from store.incoming import Placed, Received, StoredEntry
from store.submissions import Submission

_STATUS: Mapping[Placed, str] = {
    Placed.CREATED: "201 Created",
    Placed.UPDATED: "200 OK",
    Placed.UNCHANGED: "200 OK",
    Placed.DELETED: "204 No Content",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What the entries of an answer are written with. `reads` are the entries that read, by their index."""

    sight: Sight
    kick_off: KickOff
    stored: Mapping[int | None, StoredEntry]
    reads: Mapping[int, dict[str, Any]]
    now: datetime


def stored_answer(submission: Submission, *, sight: Sight) -> dict[str, Any]:
    """The response Bundle of a transaction or batch that was stored earlier, made from its bytes again.

    What it reads is read anew, for a read is never older than its answer.
    """
    return response_bundle(
        parse_bundle(submission.raw, limits=sight.parts.limits, patient_needed=False),
        received=submission.answer,
        kick_off=kick_off_from(submission.options),
        now=submission.received_at,
        sight=sight,
    )


def response_bundle(
    bundle: ParsedBundle,
    *,
    received: Received,
    kick_off: KickOff,
    now: datetime,
    sight: Sight,
) -> dict[str, Any]:
    """The transaction-response or batch-response. Issues of an entry go into its own `outcome`."""
    readable = [entry for entry in bundle.entries if entry.index not in kick_off.refusals]
    answering = Answering(
        sight=sight,
        kick_off=kick_off,
        stored={entry.entry_index: entry for entry in received.entries},
        reads=answers_of(sight, readable),
        now=now,
    )
    return {
        "resourceType": "Bundle",
        "type": f"{bundle.type}-response",
        "timestamp": instant(now),
        "entry": [_entry(entry, answering) for entry in bundle.entries],
    }


def _entry(entry: ParsedEntry, answering: Answering) -> dict[str, Any]:
    refusal = answering.kick_off.refusals.get(entry.index)
    if refusal is not None:
        return {"response": {"status": refusal.status, "outcome": operation_outcome([refusal.issue])}}
    read = answering.reads.get(entry.index)
    if read is not None:
        return read
    stored = answering.stored.get(entry.index)
    if stored is None:
        return {"response": {"status": "200 OK", "outcome": operation_outcome([_not_kept(entry)])}}
    return _written(stored, entry, answering)


def _written(stored: StoredEntry, entry: ParsedEntry, answering: Answering) -> dict[str, Any]:
    response: dict[str, Any] = {"status": _STATUS[stored.placed]}
    if stored.placed == Placed.UNCHANGED and entry.method == "DELETE":
        response["status"] = _STATUS[Placed.DELETED]  # there was nothing to delete, which is no fault
    elif stored.placed != Placed.DELETED:
        response["location"] = f"{stored.type}/{stored.id}/_history/{stored.version}"
    if stored.version:
        response["etag"] = etag(stored.version)
    if stored.placed in {Placed.CREATED, Placed.UPDATED}:
        response["lastModified"] = instant(answering.now)
    about = _about(answering.kick_off.issues, entry.index)
    wanted = answering.kick_off.returns or MINIMAL
    if wanted == OUTCOME:
        response["outcome"] = outcome(about)
    elif about:
        response["outcome"] = operation_outcome(about)
    if wanted == REPRESENTATION and "location" in response:
        with suppress(NotFound):  # written by who may not read it
            found = find(answering.sight, stored.type, stored.id, version=stored.version)
            content = content_for(wanted, resource=lambda: found.content)
            return {"resource": loads(content) if isinstance(content, bytes) else content, "response": response}
    return {"response": response}


def _about(issues: Sequence[Issue], index: int) -> list[Issue]:
    return [issue for issue in issues if any(_names(path, index) for path in issue.expression)]


def _not_kept(entry: ParsedEntry) -> Issue:
    path = (f"Bundle.entry[{entry.index}].resource",)
    if entry.resource is not None and is_own_output(entry.resource):
        text = "Made by Fillertrace itself: it is never evidence and was left out."
        return Issue(severity=INFORMATION, code="informational", detail="own-output", text=text, expression=path)
    if entry.type not in KEPT_TYPES:
        text = "This type is not read for correlation; it stays in the received bytes and cannot be read back here."
        return Issue(severity=INFORMATION, code="not-supported", detail="unknown-type", text=text, expression=path)
    text = "It does not say whose it is; it stays in the received bytes and cannot be read back here."
    return Issue(severity=INFORMATION, code="incomplete", detail="no-subject", text=text, expression=path)


def _names(path: str, index: int) -> bool:
    return path == f"Bundle.entry[{index}]" or path.startswith(f"Bundle.entry[{index}].")
