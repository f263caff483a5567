"""This file writes the answer to a transaction or batch: one entry for each entry, in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api.answers import etag
from api.entry_checks import EntryRefusal
from api.receiving import kick_off_from
from fhir_mappings.bundle import ParsedBundle, ParsedEntry, parse_bundle
from fhir_mappings.issues import INFORMATION, Issue, operation_outcome
from fhir_mappings.limits import Limits
from fhir_mappings.own_output import is_own_output
from fhir_mappings.report_frame import instant
from fhir_mappings.resource_types import KEPT_TYPES
from store.incoming import Placed, Received, StoredEntry
from store.submissions import Submission

_STATUS: Mapping[Placed, str] = {
    Placed.CREATED: "201 Created",
    Placed.UPDATED: "200 OK",
    Placed.UNCHANGED: "200 OK",
    Placed.DELETED: "204 No Content",
}


def stored_answer(submission: Submission, *, limits: Limits) -> dict[str, Any]:
    """The response Bundle of a transaction or batch that was stored earlier, made from its bytes again."""
    kick_off = kick_off_from(submission.options)
    return response_bundle(
        parse_bundle(submission.raw, limits=limits, patient_needed=False),
        received=submission.answer,
        refusals=kick_off.refusals,
        issues=kick_off.issues,
        now=submission.received_at,
    )


def response_bundle(
    bundle: ParsedBundle,
    *,
    received: Received,
    refusals: Mapping[int, EntryRefusal],
    issues: Sequence[Issue],
    now: datetime,
) -> dict[str, Any]:
    """The transaction-response or batch-response. `issues` of an entry go into its own `outcome`."""
    stored = {entry.entry_index: entry for entry in received.entries}
    return {
        "resourceType": "Bundle",
        "type": f"{bundle.type}-response",
        "timestamp": instant(now),
        "entry": [
            {"response": _response(entry, stored.get(entry.index), refusals.get(entry.index), issues, now)}
            for entry in bundle.entries
        ],
    }


def _response(
    entry: ParsedEntry,
    stored: StoredEntry | None,
    refusal: EntryRefusal | None,
    issues: Sequence[Issue],
    now: datetime,
) -> dict[str, Any]:
    if refusal is not None:
        return {"status": refusal.status, "outcome": operation_outcome([refusal.issue])}
    if stored is None:
        return {"status": "200 OK", "outcome": operation_outcome([_not_kept(entry)])}
    response: dict[str, Any] = {"status": _STATUS[stored.placed]}
    if stored.placed != Placed.DELETED:
        response["location"] = f"{stored.type}/{stored.id}/_history/{stored.version}"
    if stored.version:
        response["etag"] = etag(stored.version)
    if stored.placed in {Placed.CREATED, Placed.UPDATED}:
        response["lastModified"] = instant(now)
    about = [issue for issue in issues if any(_names(path, entry.index) for path in issue.expression)]
    if about:
        response["outcome"] = operation_outcome(about)
    return response


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
