"""This file decides what a write gives back: nothing, the resource, or what is to be said about it (`Prefer: return=`).

FHIR R4 https://hl7.org/fhir/R4/http.html#ops. A refusal is an OperationOutcome whatever was preferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from api.content import Preferences
from fhir_mappings.issues import INFORMATION, Issue, operation_outcome

MINIMAL: Final = "minimal"
REPRESENTATION: Final = "representation"
OUTCOME: Final = "OperationOutcome"

Content = Mapping[str, Any] | bytes | None


def returned(
    preferences: Preferences,
    *,
    resource: Callable[[], Mapping[str, Any] | bytes],
    issues: Sequence[Issue] = (),
    default: str = REPRESENTATION,
) -> tuple[Content, Mapping[str, str]]:
    """The body of a successful write, and the header that says which preference was followed.

    `resource` is asked only where it is wanted; `issues` are what was odd about the input. `default` holds where the
    client preferred nothing: a single write gives the resource, an entry of a transaction gives nothing.
    """
    wanted = preferences.returns or default
    return content_for(wanted, resource=resource, issues=issues), applied(preferences)


def content_for(
    wanted: str, *, resource: Callable[[], Mapping[str, Any] | bytes], issues: Sequence[Issue] = ()
) -> Content:
    """What is given back for one of MINIMAL, REPRESENTATION and OUTCOME."""
    if wanted == MINIMAL:
        return None
    return outcome(issues) if wanted == OUTCOME else resource()


def applied(preferences: Preferences) -> Mapping[str, str]:
    """`Preference-Applied` for `return`, where the client named one."""
    return {"Preference-Applied": f"return={preferences.returns}"} if preferences.returns else {}


def outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """What was odd about a write that was done; that it was done, where nothing was."""
    return operation_outcome(issues or [_DONE])


_DONE: Final = Issue(severity=INFORMATION, code="informational", detail="done", text="Done. Nothing was odd about it.")
