"""This file names who is calling: every route is given a Caller, and asks it, never a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from fhir_mappings.smart_scopes import Scope, parse_scopes

OPEN: Final = "open"
"""The client of open access, where nobody has checked who calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what the caller may do.

    `client_id` is the program, `subject` who has signed in to it, `user` the person behind the call as a FHIR reference
    (`fhirUser`), `patient` the one patient whom `patient/` scopes are about, as the token names them; None where there
    is none. `patient_ids` are our ids of that patient, none where they are not known here; `patient_addresses` is
    theirs on another server. `verified` is false in open access: nobody has checked who this is.
    """

    client_id: str
    subject: str | None = None
    user: str | None = None
    patient: str | None = None
    patient_ids: frozenset[str] = frozenset()
    patient_addresses: frozenset[str] = frozenset()
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
        return json.dumps([self.client_id, self.subject, self.patient], separators=(",", ":"))  # keeps its parts apart


OPEN_CALLER: Final = Caller(client_id=OPEN, scopes=parse_scopes("system/*.cruds user/*.cruds"))
