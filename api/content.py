"""This file reads the headers by which a client says what it sends, what it can read and how it wants to be served.

FHIR R4 https://hl7.org/fhir/R4/http.html#mime-type and RFC 7240 (Prefer). Only JSON is spoken; XML is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi import Request

from api.errors import RequestRefused

FHIR_JSON = "application/fhir+json"
FHIR_VERSION = "4.0"
_JSON_NAMES = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
_ANY_NAMES = frozenset({"*/*", "application/*"})
_VERSIONS = frozenset({"4.0", "4.0.1"})
RETURNS = {"minimal": "minimal", "representation": "representation", "operationoutcome": "OperationOutcome"}
"""What `Prefer: return=` may ask for, by its name in small letters."""
_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the Prefer header asks for; None where nothing, or nothing that is known, was said.

    `returns` is `minimal`, `representation` or `OperationOutcome`; `handling` is `strict` or `lenient`; `async_result`
    the dialect of an asynchronous answer, `redirect`; `separate_export_status` is Bulk Data's word for the status of a
    job beside that of a poll.
    """

    respond_async: bool = False
    wait_seconds: int | None = None
    returns: str | None = None
    handling: str | None = None
    async_result: str | None = None
    separate_export_status: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _MediaType:
    name: str
    parameters: dict[str, str]


def read_preferences(headers: Iterable[str]) -> Preferences:
    """The preferences in all Prefer headers of a request; what is not understood is ignored, as RFC 7240 asks."""
    named: dict[str, str] = {}
    for header in headers:
        # Clients write the semicolon of a parameter where the comma of the next preference belongs: both are taken.
        for preference in (part for item in _split(header, ",") for part in _split(item, ";")):
            name, _, value = preference.partition("=")
            named.setdefault(name.strip().lower(), value.strip().strip('"'))
    wait = named.get("wait", "")
    return Preferences(
        respond_async="respond-async" in named,
        wait_seconds=int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else None,
        returns=RETURNS.get(named.get("return", "").lower()),
        handling=_one_of(named, "handling", {"strict", "lenient"}),
        async_result=_one_of(named, "async-result", {"redirect"}),
        separate_export_status="separate-export-status" in named,
    )


def preferences_of(request: Request) -> Preferences:
    """The preferences of a request."""
    return read_preferences(request.headers.getlist("prefer"))


def _one_of(named: dict[str, str], name: str, known: set[str]) -> str | None:
    said = named.get(name, "").lower()
    return said if said in known else None


def check_accept(request: Request) -> None:
    """Refuse with 406 a client that cannot read FHIR R4 JSON. `_format` wins over Accept."""
    wanted = request.query_params.get("_format")
    # In a query "+" means a space, and many clients do not write it as %2B.
    header = wanted.replace(" ", "+") if wanted else ",".join(request.headers.getlist("accept"))
    if header and not any(_readable(media_type) for media_type in _media_types(header)):
        raise RequestRefused(
            406,
            code="not-supported",
            detail="not-acceptable",
            text=f"Answers are FHIR R4 as {FHIR_JSON}. Ask for that in Accept (or _format=json), "
            f"without fhirVersion or with fhirVersion={FHIR_VERSION}.",
        )


def check_content_type(request: Request) -> None:
    """Refuse with 415 a body that does not say to be FHIR R4 JSON in UTF-8. No Content-Type at all is let through."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _unsupported("Send the body as it is, without Content-Encoding.")
    header = request.headers.get("content-type")
    if not header:
        return
    media_type = next(iter(_media_types(header)), None)
    if media_type is None or media_type.name not in _JSON_NAMES:
        raise _unsupported(f"Send the body as JSON and say so: Content-Type: {FHIR_JSON}.")
    if media_type.parameters.get("charset", "utf-8").lower() not in _ENCODINGS:
        raise _unsupported("Send the body in UTF-8; FHIR JSON has no other encoding.")
    if media_type.parameters.get("fhirversion", FHIR_VERSION) not in _VERSIONS:
        raise _unsupported("This server speaks FHIR R4 (4.0.1): leave fhirVersion out of Content-Type or write 4.0.")


def _unsupported(text: str) -> RequestRefused:
    return RequestRefused(415, code="not-supported", detail="unsupported-media-type", text=text)


def _readable(media_type: _MediaType) -> bool:
    if media_type.name not in _JSON_NAMES | _ANY_NAMES:
        return False
    if media_type.parameters.get("q", "1").rstrip("0").rstrip(".") in {"", "0"}:
        return False
    return media_type.parameters.get("fhirversion", FHIR_VERSION) in _VERSIONS


def _media_types(header: str) -> Iterator[_MediaType]:
    for item in _split(header, ","):
        name, *parameters = _split(item, ";")
        pairs = (parameter.partition("=") for parameter in parameters)
        yield _MediaType(
            name=name.strip().lower(),
            parameters={key.strip().lower(): value.strip().strip('"') for key, _, value in pairs},
        )


def _split(text: str, separator: str) -> list[str]:
    """The parts of a header, split outside quotation marks, without empty ones."""
    parts, quoted, start = [], False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]
