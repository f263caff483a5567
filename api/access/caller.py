"""This file names who is calling: every route is given a Caller, and asks it, never a token."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.smart_scopes import Scope, parse_scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what the caller may do.

    `client_id` is the program, `subject` who has signed in to it, `user` the person behind the call as a FHIR reference
    (`fhirUser`), `patient` the one patient whom `patient/` scopes are about, as the token names them; None where there
    is none. `patient_ids` are our ids of that patient, none where they are not known here. `verified` is false in open
    access: nobody has checked who this is.
    """

    client_id: str
    subject: str | None = None
    user: str | None = None
    patient: str | None = None
    patient_ids: frozenset[str] = frozenset()
    scopes: tuple[Scope, ...] = ()
    verified: bool = False

    @property
    def identity(self) -> str:
        """Who owns jobs and keys: the program, who has signed in to it, and the patient they are about."""
        return "|".join(part.replace("|", "||") for part in (self.client_id, self.subject or "", self.patient or ""))


OPEN_CALLER = Caller(client_id="open", scopes=parse_scopes("system/*.cruds user/*.cruds"))
