"""This file lists the issue codes of the HTTP door with plain words, beside those of `fhir_mappings.issues`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DOOR_ISSUE_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "access-is-open": "There is no authorization server here: access is open",
        "accepted": "Received and stored; the result follows",
        "already-finished": "It has ended, and this step is no longer possible",
        "busy": "The record is busy for a moment",
        "cancelled": "Cancelled as asked",
        "done": "Done as asked",
        "expired": "The result was kept for its time, and is no longer",
        "fault": "A fault of ours, in the log under the request id",
        "gone": "It was deleted",
        "idempotency-key-reused": "The Idempotency-Key belongs to another body",
        "if-match-missing": "The version that is changed must be named in If-Match",
        "invalid-condition": "A condition that cannot be asked as a search",
        "invalid-header": "A header that cannot be used",
        "invalid-parameter": "A parameter with a value that has no meaning here",
        "invalid-request": "The request cannot be read",
        "issuer-away": "The authorization server does not answer",
        "job-cancelled": "The job was cancelled",
        "job-failed": "The job failed; it can be started again",
        "method-not-allowed": "This address does not take this method",
        "no-match": "A condition that finds nothing",
        "no-request": "An entry does not say what to do with it",
        "not-asynchronous": "This request cannot be answered later",
        "polled-too-fast": "The status was asked for far too often",
        "not-acceptable": "The client cannot read FHIR R4 JSON",
        "not-authenticated": "It is not known who calls",
        "not-a-transaction": "Not a transaction or batch",
        "not-changeable": "This part of a report cannot be changed",
        "not-explainable": "A report that cannot be explained: not made here, or without a record of its inputs",
        "not-found": "Nothing under this id",
        "not-offered": "FHIR has it, this server does not",
        "not-permitted": "The caller may not do this",
        "no-client-ids": "Ids are given here, not by the client",
        "same-identity": "Several entries of a transaction change one resource",
        "several-matches": "A condition that finds more than one resource",
        "subsetted": "Only a part of a resource",
        "too-many-requests": "One caller asks too much within a minute",
        "unexpected-body": "A body where none is taken",
        "unknown-address": "Nothing at this address",
        "unknown-output-format": "A format of files that is not offered",
        "unknown-parameter": "A search parameter that is not known here",
        "unsupported-media-type": "The body is not FHIR R4 JSON",
        "version-conflict": "Another version than the current one is named",
    }
)
