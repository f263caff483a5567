"""This file fetches all that a server holds of one patient, and says of each type of resource whether it could be seen.

One search by `patient` for each type, all pages; then what those resources refer to. What fails for one type never
costs the others: a record with a hole that is known is worth more than none.
FHIR R4 patient compartment: https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ehr.client import FhirClient, searchset
from ehr.errors import EhrError, NotPermitted, NotThere, Refused, TooLarge, Unavailable
from ehr.references import literal, references_in
from ehr.subjects import Whose, whose

SEARCHED_TYPES: Final = (
    "Procedure",
    "ImagingStudy",
    "DiagnosticReport",
    "Condition",
    "MedicationStatement",
    "MedicationRequest",
    "MedicationAdministration",
    "Device",
    "DeviceUseStatement",
    "AllergyIntolerance",
    "Specimen",
    "Encounter",
    "Observation",  # there may be very many: where a record is larger than we read, all the rest of it is there
)
REFERRED_TYPES: Final = ("Medication", "Device", "Practitioner", "Organization")
MAXIMUM_REFERRED: Final = 500
_STEPS: Final = len(SEARCHED_TYPES) + 2
_HIDDEN: Final = frozenset({"suppressed", "security", "forbidden", "login", "expired"})
"""Issue types of FHIR by which a server says that it holds something back."""


class Seen(StrEnum):
    """Whether the resources of a type could be seen."""

    SEEN = "seen"
    NOT_OFFERED = "not-offered"  # the server has no such type, or no search of it
    NOT_PERMITTED = "not-permitted"  # our access does not reach so far
    NOT_FETCHED = "not-fetched"  # it failed, or its answer could not be used


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeVisit:
    """What came of asking for one type. With a `count` above zero and another outcome than `seen`, a part was seen."""

    type: str
    count: int
    outcome: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One patient's record as a server gave it.

    `bundle` is a `searchset` with absolute `fullUrl`s, the Patient first. `visits` has a row for each type that was
    asked for. `own_output` is what we wrote there ourselves, which is no part of the record. `interrupted`: something
    is lacking for a temporary reason, and may be there when it is asked for again.
    """

    bundle: dict[str, Any]
    visits: tuple[TypeVisit, ...]
    own_output: tuple[dict[str, Any], ...]
    interrupted: bool

    def references(self) -> dict[str, str]:
        """Every form in which a resource of the record is referred to, with the one that its server knows."""
        known: dict[str, str] = {}
        for entry in self.bundle["entry"]:
            local = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            known |= {local: local, entry["fullUrl"]: local}
        return known


Progress = Callable[[str, int, int], None]
"""Told before each step: the type that is asked for, how many steps are done, how many there are."""


def fetch_history(
    client: FhirClient,
    patient_id: str,
    *,
    is_own_output: Callable[[dict[str, Any]], bool],
    progress: Progress | None = None,
) -> History:
    """The record of one patient. Raises EhrError only where the Patient itself cannot be read.

    `is_own_output` tells what we made ourselves. No more than the client's `max_bytes` are read in all; what lies
    beyond is not fetched.
    """
    fetch = _Fetch(client, patient_id, progress=progress or _silent)
    fetch.read_patient()
    fetch.search_each()
    own = fetch.take_out(is_own_output)
    fetch.read_referred()
    own += fetch.take_out(is_own_output)
    return History(
        bundle=searchset(client.base_url, fetch.found.values()),
        visits=fetch.visits(),
        own_output=tuple(own),
        interrupted=fetch.interrupted,
    )


class _AnotherPatient(Refused):
    """The server sent what belongs to somebody else."""


class _Fetch:
    """A record while it is fetched. `found` are its resources by type and id; `interrupted` as in a History."""

    def __init__(self, client: FhirClient, patient_id: str, *, progress: Progress) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self.interrupted = False
        self._client = client
        self._patient_id = patient_id
        self._progress = progress
        self._outcomes: dict[str, Seen] = {}
        self._given_up: set[str] = set()
        self._begun = client.bytes_read

    def read_patient(self) -> None:
        """The Patient, without whom there is nothing to fetch."""
        self._progress("Patient", 0, _STEPS)
        self._keep(self._client.read("Patient", self._patient_id))
        self._outcomes["Patient"] = Seen.SEEN

    def search_each(self) -> None:
        """Every type by a search of its own; one that the server says it does not have is not asked for."""
        offered = self._client.offered_types()
        for done, type_ in enumerate(SEARCHED_TYPES, start=1):
            self._progress(type_, done, _STEPS)
            asked = not offered or type_ in offered
            self._outcomes[type_] = self._search(type_) if asked else Seen.NOT_OFFERED

    def read_referred(self) -> None:
        """What the resources refer to, on the same server, and what that refers to."""
        self._progress("references", _STEPS - 1, _STEPS)
        for type_ in REFERRED_TYPES:
            self._outcomes.setdefault(type_, Seen.SEEN)
        asked: set[str] = set()
        waiting = list(self.found.values())
        for resource in waiting:  # grows while it is gone through
            for type_, id_ in self._referred_by(resource):
                name = f"{type_}/{id_}"
                if name in self.found or name in asked or type_ in self._given_up:
                    continue
                if len(asked) == MAXIMUM_REFERRED:
                    self._give_up(type_)
                    continue
                asked.add(name)
                waiting += self._read_referred(type_, id_)

    def take_out(self, is_own_output: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """What we made ourselves, which is then no longer among what was found."""
        own = {name: resource for name, resource in self.found.items() if is_own_output(resource)}
        self.found = {name: resource for name, resource in self.found.items() if name not in own}
        return list(own.values())

    def visits(self) -> tuple[TypeVisit, ...]:
        """What came of each type."""
        counts = Counter(resource["resourceType"] for resource in self.found.values())
        return tuple(
            TypeVisit(type=type_, count=counts[type_], outcome=outcome) for type_, outcome in self._outcomes.items()
        )

    def _search(self, type_: str) -> Seen:
        outcome = Seen.SEEN
        pages: list[dict[str, Any]] = []
        try:
            for page in self._client.pages(type_, {"patient": self._patient_id, "_count": "200"}):
                self._check_size()
                theirs = [one for one in page.resources if self._is_theirs(one)]
                pages += theirs
                if not _HIDDEN.isdisjoint(page.issue_codes):
                    outcome = Seen.NOT_PERMITTED
                elif len(theirs) < len(page.resources) and outcome is Seen.SEEN:
                    outcome = Seen.NOT_FETCHED
        except _AnotherPatient:
            return Seen.NOT_FETCHED  # nothing of such an answer can be trusted
        except EhrError as error:
            self._note(error)
            outcome = _outcome(error, begun=bool(pages))
        for resource in pages:
            self._keep(resource)
        return outcome

    def _read_referred(self, type_: str, id_: str) -> list[dict[str, Any]]:
        """The resource as a list of one, or none."""
        try:
            self._check_size()
            found = self._client.read(type_, id_)
            if self._is_theirs(found):
                return [self._keep(found)]
            self._missed(type_, Seen.NOT_FETCHED)
        except NotThere:
            pass  # a dead end in the record; whoever reads it will say so
        except (Unavailable, TooLarge) as error:
            self._note(error)
            self._give_up(type_)  # the next ones would wait as long
        except EhrError as error:
            self._missed(type_, _outcome(error))
        return []

    def _note(self, error: EhrError) -> None:
        self.interrupted = self.interrupted or isinstance(error, Unavailable)

    def _give_up(self, type_: str) -> None:
        """Read no more of this type."""
        self._given_up.add(type_)
        self._missed(type_, Seen.NOT_FETCHED)

    def _missed(self, type_: str, outcome: Seen) -> None:
        """Note that something of a type was missed; what was said of its search before stays, if that was worse."""
        if self._outcomes[type_] in (Seen.SEEN, Seen.NOT_OFFERED):
            self._outcomes[type_] = outcome

    def _keep(self, resource: dict[str, Any]) -> dict[str, Any]:
        return self.found.setdefault(f"{resource['resourceType']}/{resource['id']}", resource)

    def _check_size(self) -> None:
        if self._client.bytes_read - self._begun > self._client.max_bytes:
            raise TooLarge(f"the record on {self._client.host} is larger than {self._client.max_bytes} bytes")

    def _is_theirs(self, resource: dict[str, Any]) -> bool:
        """Whether it is of the asked patient. Raises _AnotherPatient: who does not understand `patient` sends all."""
        of = whose(resource, patient_id=self._patient_id, base_url=self._client.base_url)
        if of is Whose.ANOTHERS:
            raise _AnotherPatient(f"{self._client.host} answered with the record of another patient")
        return of is Whose.THEIRS

    def _referred_by(self, resource: dict[str, Any]) -> list[tuple[str, str]]:
        targets = (literal(reference) for reference in references_in(resource))
        return [
            (target.type, target.id)
            for target in targets
            if target and target.type in REFERRED_TYPES and target.base_url in (None, self._client.base_url)
        ]


def _outcome(error: EhrError, *, begun: bool = False) -> Seen:
    """What a failure says about a type; once a page of it was read, it is offered."""
    if isinstance(error, NotPermitted):
        return Seen.NOT_PERMITTED
    if isinstance(error, Refused) and not begun:
        unknown = error.status == 400 and "not-supported" in error.issue_codes
        if unknown or error.status in (404, 501):
            return Seen.NOT_OFFERED
    return Seen.NOT_FETCHED


def _silent(type_: str, done: int, total: int) -> None:
    """No progress is wanted."""
