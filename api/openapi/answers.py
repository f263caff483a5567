"""This file says what an answer is for the OpenAPI document: its words, its body, its headers; and all refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from api.content import FHIR_JSON
from api.openapi.schemas import bundle, either, ref

_HEADERS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "Allow": ("The methods that this address takes.", {"type": "string"}),
    "Content-Language": ("The language of the words in the report.", {"type": "string"}),
    "Content-Location": ("Where the result is asked for, or which version this is.", {"type": "string"}),
    "ETag": ("The version, as a weak tag.", {"type": "string", "pattern": r'^W/"\d+"$'}),
    "Expires": ("Until when the result is kept here.", {"type": "string"}),
    "Last-Modified": ("When this version was written.", {"type": "string"}),
    "Link": ('One `<…/Task/{id}>; rel="status"` per job.', {"type": "string"}),
    "Location": ("The version that was made, or where the answer is.", {"type": "string"}),
    "Preference-Applied": ("Which preference was followed.", {"type": "string"}),
    "Retry-After": ("Seconds until it is worth asking again.", {"type": "string", "pattern": r"^\d+$"}),
    "WWW-Authenticate": (
        "What kind of token is asked for, and, where one was sent, that it is not good or not enough.",
        {"type": "string", "pattern": "^Bearer "},
    ),
    "X-Export-Status": ("The status of the job, beside that of the poll.", {"type": "string"}),
    "X-Progress": ("How it goes, in words.", {"type": "string", "maxLength": 99}),
    "X-Request-Id": ("The request in our log: the id you sent, or a new one.", {"type": "string"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: `content` is schema by media type, empty without a body; `always` and `sometimes` are its headers."""

    words: str
    content: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()

    def written(self) -> dict[str, Any]:
        """As OpenAPI writes it."""
        headers = {name: _header(name, required=True) for name in (*self.always, "X-Request-Id")}
        headers |= {name: _header(name, required=False) for name in self.sometimes}
        said: dict[str, Any] = {"description": self.words, "headers": headers}
        if self.content:
            said["content"] = {media_type: {"schema": schema} for media_type, schema in self.content.items()}
        return said


def _header(name: str, *, required: bool) -> dict[str, Any]:
    words, schema = _HEADERS[name]
    return {"description": words, "required": required, "schema": schema}


def fhir(words: str, schema: Mapping[str, Any], *, always: Iterable[str] = (), sometimes: Iterable[str] = ()) -> Answer:
    """An answer in FHIR JSON."""
    return Answer(words=words, content={FHIR_JSON: schema}, always=tuple(always), sometimes=tuple(sometimes))


def written(type_: str) -> dict[str, Any]:
    """What a write gives back, by `Prefer: return`; `minimal` has no body."""
    return either(ref(type_), ref("OperationOutcome"))


FOUND: Final = fhir("What was found, newest first; `next` leads on.", bundle("searchset"))
ACCEPTED: Final = fhir(
    "Stored; the result follows. Ask the address in Content-Location for it.",
    ref("OperationOutcome"),
    always=("Content-Location", "Retry-After"),
    sometimes=("Link", "Preference-Applied"),
)
NOT_MODIFIED: Final = Answer(words="The client has this version.", always=("ETag", "Last-Modified"))


def _refused(words: str, *, always: Iterable[str] = (), sometimes: Iterable[str] = ()) -> Answer:
    return fhir(words, ref("OperationOutcome"), always=always, sometimes=sometimes)


REFUSALS: Final[Mapping[int, Answer]] = {
    400: _refused("The body cannot be read, or a parameter, header or element has a value without meaning here."),
    401: _refused("An access token is needed, or this one is not good.", always=("WWW-Authenticate",)),
    403: _refused("The caller may not do this, or a page of another site asks.", sometimes=("WWW-Authenticate",)),
    404: _refused("There is nothing under this id, or this is not offered for this type."),
    405: _refused("This address does not take this method for this resource.", always=("Allow",)),
    406: _refused("The client cannot read FHIR R4 JSON."),
    409: _refused("It has ended, and this step is no longer possible."),
    410: _refused("It was deleted, or the result is no longer kept."),
    412: _refused("A condition is not met: another version, no match, or several.", sometimes=("ETag",)),
    413: _refused("The body is larger than the limit that the CapabilityStatement names."),
    415: _refused("The body does not say to be what this address takes."),
    422: _refused("It was read and cannot be used: the issue says why."),
    428: _refused("If-Match must name the version that was read."),
    429: _refused("Asked far too often. A job that was asked for goes on.", always=("Retry-After",)),
    500: _refused(
        "The job has failed; it can be started again by its Task.", sometimes=("Link", "Expires", "Content-Language")
    ),
    503: _refused(
        "The record or the authorization server is busy or out of reach; send the same again.", always=("Retry-After",)
    ),
}
"""What every refusal of a status is, whatever was asked."""
