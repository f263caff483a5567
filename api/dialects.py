"""This file names the dialects in which an asynchronous request is answered, and reads which one a kick-off asks for.

`_outputFormat` in an NDJSON spelling: the manifest of FHIR R4, https://hl7.org/fhir/R4/async.html.
`Prefer: async-result=redirect`: 303 to the answer itself, the pattern of HL7's API incubator guide of June 2026.
Otherwise the batch-response Bundle of FHIR R5, https://hl7.org/fhir/R5/async-bundle.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fastapi import Request

from api.content import preferences_of
from api.errors import RequestRefused
from api.parts import base_of

NDJSON = "application/fhir+ndjson"
_NDJSON_NAMES = frozenset({NDJSON, "application/ndjson", "ndjson"})


class Dialect(StrEnum):
    """What a finished asynchronous request is answered with."""

    MANIFEST = "manifest"
    REDIRECT = "redirect"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How a kick-off asks to be answered.

    `url` is the address it was sent to, as a manifest repeats it. `separate_status`: the status of the job is wanted in
    X-Export-Status, beside the status of the poll (Bulk Data 3, manifests only). `wait_seconds` is None where no bound
    was named.
    """

    dialect: Dialect = Dialect.BUNDLE
    url: str = ""
    separate_status: bool = False
    respond_async: bool = False
    wait_seconds: int | None = None

    @property
    def asynchronous(self) -> bool:
        """Whether 202 is the answer in any case: there are no NDJSON files to answer with at once."""
        return self.dialect is Dialect.MANIFEST or (self.respond_async and self.wait_seconds is None)

    @property
    def applied(self) -> dict[str, str]:
        """The header Preference-Applied, empty where nothing of the kind was asked for."""
        if not self.respond_async:
            return {}
        words = ["respond-async"]
        words += ["async-result=redirect"] if self.dialect is Dialect.REDIRECT else []
        words += ["separate-export-status"] if self.separate_status else []
        return {"Preference-Applied": ", ".join(words)}


def read_ask(request: Request) -> Ask:
    """How this kick-off asks to be answered. Refuses with 400 an `_outputFormat` that is not NDJSON."""
    preferences = preferences_of(request)
    formats = request.query_params.getlist("_outputFormat")
    for written in formats:
        # In a query "+" means a space, and many clients do not write it as %2B.
        if written.partition(";")[0].strip().replace(" ", "+").lower() not in _NDJSON_NAMES:
            raise RequestRefused(
                400,
                code="not-supported",
                detail="unknown-output-format",
                text=f"Files are NDJSON: write _outputFormat={NDJSON}, application/ndjson or ndjson, or leave it out.",
            )
    dialect = Dialect.MANIFEST if formats else Dialect.BUNDLE
    if not formats and preferences.async_result == "redirect":
        dialect = Dialect.REDIRECT
    return Ask(
        dialect=dialect,
        url=_kick_off_url(request),
        separate_status=preferences.separate_export_status and dialect is Dialect.MANIFEST,
        respond_async=preferences.respond_async,
        wait_seconds=preferences.wait_seconds,
    )


def _kick_off_url(request: Request) -> str:
    path = request.url.path.partition("/fhir")[2]
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{base_of(request)}{path}{query}"
