"""This file names who is calling: every route is given a Caller, and asks it, never a token."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what the caller may do.

    `client_id` separates callers from each other (repeats, idempotency keys, jobs). `user` is the person behind the
    call as a FHIR reference, `patient` the one patient the caller is bound to; None where there is none. `scopes` are
    SMART scopes. `verified` is false in open access: nobody has checked who this is.
    """

    client_id: str
    user: str | None = None
    patient: str | None = None
    scopes: frozenset[str] = frozenset()
    verified: bool = False


OPEN_CALLER = Caller(client_id="open", scopes=frozenset({"system/*.cruds", "user/*.cruds"}))
