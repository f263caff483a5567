"""This file names who is calling: every route is given a Caller, and asks it, never a token."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from fhir_mappings.smart_scopes import Scope, parse_scopes

OPEN: Final = "open"
"""The client of open access, where nobody has checked who calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what the caller may do.

    `client_id` is the program that calls, `subject` whom it calls for as the issuer names them, `user` the person
    behind the call as a FHIR reference, `patient` the one patient the caller is bound to; None where there is none.
    `verified` is false in open access: nobody has checked who this is.
    """

    client_id: str
    subject: str | None = None
    user: str | None = None
    patient: str | None = None
    scopes: tuple[Scope, ...] = ()
    verified: bool = False

    @property
    def identity(self) -> str:
        """Who owns jobs and keys: the same for all tokens of one client, subject and patient, and for no others.

        >>> Caller(client_id="a", subject="bc").identity == Caller(client_id="ab", subject="c").identity
        False
        """
        if self == OPEN_CALLER:
            return OPEN
        parts = json.dumps([self.client_id, self.subject, self.patient])  # a list keeps its parts apart
        return f"caller-{hashlib.sha256(parts.encode()).hexdigest()}"


OPEN_CALLER: Final = Caller(client_id=OPEN, scopes=parse_scopes("system/*.cruds user/*.cruds"))
