"""This file says what an answer of a FHIR server means: the resource that was asked for, or an error by its kind.

HTTP statuses: https://hl7.org/fhir/R4/http.html. Whatever a server sends, texts of errors hold its host and the status
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from ehr.errors import Conflict, NotPermitted, NotThere, Refused, Unavailable
from ehr.fhir_json import NotJson, TooDeep, read_json
from ehr.retries import retry_after_seconds
from ehr.transport import Answer

_CODE: Final = re.compile(r"[a-z][a-z-]{0,31}")
_NOT_IMPLEMENTED: Final = 501


def resource_in(answer: Answer, *, host: str, type_: str) -> dict[str, Any]:
    """The resource of this type that a server answered with. Raises the EhrError that the answer means instead."""
    content = json_in(answer, host=host)
    if content.get("resourceType") != type_:
        raise Refused(f"{host} answered with something else than a {type_}")
    return content


def json_in(answer: Answer, *, host: str) -> dict[str, Any]:
    """The JSON object that a server answered with. Raises the EhrError that the answer means instead."""
    if not 200 <= answer.status < 300:
        raise _error(answer, host)
    return object_in(answer, host=host)


def object_in(answer: Answer, *, host: str) -> dict[str, Any]:
    """The same whatever the status says. Raises Unavailable for half of one, Refused for anything else."""
    try:
        content = read_json(answer.content)
    except TooDeep:
        raise Refused(f"{host} answered with JSON that is nested too deep") from None
    except NotJson:
        if "json" in answer.headers.get("content-type", ""):
            raise Unavailable(f"{host} gave half an answer") from None
        raise Refused(f"{host} answered with something that is not JSON") from None
    if not isinstance(content, dict):
        raise Refused(f"{host} answered with JSON that is not an object")
    return content


def issue_codes_in(resources: Iterable[object]) -> tuple[str, ...]:
    """FHIR's issue type of every issue in the OperationOutcomes among these resources, and none of their words."""
    return tuple(
        _code(issue.get("code"))
        for resource in resources
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome"
        for issue in objects_in(resource.get("issue"))
    )


def objects_in(value: object) -> list[dict[str, Any]]:
    """The objects of a list; what is not one is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _error(answer: Answer, host: str) -> Refused | Unavailable:
    status, message = answer.status, f"{host} answered with status {answer.status}"
    if status in (401, 403):
        return NotPermitted(message, status=status)
    if status in (404, 410):
        return NotThere(message, deleted=status == 410)
    wait = retry_after_seconds(answer.headers.get("retry-after"), now=datetime.now(UTC))
    if status in (409, 412):
        return Conflict(message, retry_after_seconds=wait)
    if status == 429 or (status >= 500 and status != _NOT_IMPLEMENTED):
        return Unavailable(message, retry_after_seconds=wait)
    return Refused(message, status=status, issue_codes=_issue_codes_of(answer))


def _issue_codes_of(answer: Answer) -> tuple[str, ...]:
    try:
        return issue_codes_in([read_json(answer.content)])
    except (NotJson, TooDeep):
        return ()


def _code(value: object) -> str:
    """A code of FHIR's; anything else could be a text with more in it, and is left out."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""
