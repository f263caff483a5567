"""This file takes a parsed Bundle into the record and hands its jobs to the queue: the step behind every 2xx.

What was odd about the Bundle itself is kept with the submission, for the worker never sees the Bundle; it is put beside
the issues of the correlation when the result is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request

from admission.incoming import Held, Intake
from admission.rewriting import rewrite_references
from api.access.sight import Sight
from api.dialects import Ask, Dialect
from api.entry_refusals import EntryRefusal
from api.errors import RequestRefused
from api.parts import Parts, log_ids
from fhir_mappings.issues import Issue
from fhir_mappings.resource_json import dumps, loads
from store import intake, outbox, patients, resources
from store.bounds import NO_BOUNDS, Bounds
from store.errors import NotFound, PatientConflict
from store.incoming import Deletion, Received

_IDEMPOTENCY_KEY = "idempotency-key"
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class KickOff:
    """What the door must remember of a submission.

    `asks` are the ways in which it was asked to answer: the first is fixed to the job, a repeat in another dialect adds
    one. `issues` are the door's own; `refusals` the entries of a batch that were refused, by their index. `asked_again`
    is when a repeat last asked for a result that had ended; `released` whether the client has let go of it; `returns`
    what is to be given back of each entry.
    """

    asks: tuple[Ask, ...] = (Ask(),)
    issues: tuple[Issue, ...] = ()
    refusals: Mapping[int, EntryRefusal] = field(default_factory=dict)
    asked_again: datetime | None = None
    released: bool = False
    returns: str | None = None

    def to_bytes(self) -> bytes:
        """As the record keeps it. Issues hold codes, paths and our sentences, never a value."""
        return dumps(
            {
                "asks": [asdict(ask) for ask in self.asks],
                "asked_again": self.asked_again.isoformat() if self.asked_again else None,
                "released": self.released,
                "returns": self.returns,
                "issues": [asdict(issue) for issue in self.issues],
                "refusals": [
                    {"entry": index, "status": refusal.status, "issue": asdict(refusal.issue)}
                    for index, refusal in self.refusals.items()
                ],
            }
        )


def kick_off_from(options: bytes) -> KickOff:
    """What `KickOff.to_bytes` wrote."""
    said: dict[str, Any] = loads(options) if options else {}
    refusals = {
        int(refusal["entry"]): EntryRefusal(status=str(refusal["status"]), issue=_issue(refusal["issue"]))
        for refusal in said.get("refusals", ())
    }
    again = said.get("asked_again")
    return KickOff(
        asks=tuple(Ask(**{**ask, "dialect": Dialect(ask["dialect"])}) for ask in said.get("asks", ())) or (Ask(),),
        asked_again=datetime.fromisoformat(again) if again else None,
        released=bool(said.get("released")),
        returns=said.get("returns"),
        issues=tuple(_issue(issue) for issue in said.get("issues", ())),
        refusals=refusals,
    )


def _issue(said: Mapping[str, Any]) -> Issue:
    return Issue(**{**said, "expression": tuple(said["expression"])})


def receive(
    request: Request,
    sight: Sight,
    *,
    kind: str,
    raw: bytes,
    brought: Intake,
    kick_off: KickOff,
    deletions: Sequence[Deletion] = (),
    bounds: Bounds = NO_BOUNDS,
) -> Received:
    """Store everything or nothing, then queue the jobs. Raises what `store.intake.receive` raises."""
    parts = sight.parts
    try:
        received = intake.receive(
            parts.database,
            kind=kind,
            raw=raw,
            caller_id=sight.caller.identity,
            groups=brought.groups,
            rewrite=rewrite_references,
            now=parts.clock(),
            loose=brought.loose,
            deletions=deletions,
            references=brought.references,
            links=brought.links,
            idempotency_key=idempotency_key(request),
            options=kick_off.to_bytes(),
            repeat_window_seconds=parts.repeat_window_seconds,
            bounds=bounds,
        )
    except PatientConflict as conflict:
        raise _located(conflict, brought) from None
    hand_over(request, parts, received)
    return received


def _located(conflict: PatientConflict, brought: Intake) -> PatientConflict:
    """The same conflict with the entry of the Patient it is about, where one was sent."""
    if conflict.entry_index is not None:
        return conflict
    group = brought.groups[conflict.group]
    index = next((resource.entry_index for resource in group.resources if resource.type == "Patient"), None)
    located = PatientConflict(conflict.element, group=conflict.group, entry_index=index)
    located.others = conflict.others
    return located


def hand_over(request: Request, parts: Parts, received: Received) -> None:
    """Queue the jobs of a submission, unless it is a repeat, and name them in the log."""
    log_ids(request, submission=received.submission_id, jobs=[job.job_id for job in received.jobs])
    if not received.repeated:
        outbox.hand_over(parts.database, parts.queue, received.jobs)


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, None where there is none."""
    key = request.headers.get(_IDEMPOTENCY_KEY, "").strip()
    if len(key) > _LONGEST_KEY:
        raise RequestRefused(
            400,
            code="too-long",
            detail="invalid-header",
            text=f"Idempotency-Key may have {_LONGEST_KEY} characters; a UUID is enough.",
        )
    return key or None


def held_in(sight: Sight) -> Held:
    """A function that says whether we hold a resource under a type and id of ours that the caller knows of."""

    def held(type_: str, identity: str) -> bool:
        if type_ == "Patient":
            return patients.known(sight.parts.database, identity) and sight.may_know(
                type_, identity, patient_id=identity
            )
        try:
            kept = resources.read(sight.parts.database, type_, identity)
        except NotFound:
            return False
        known = sight.may_know(type_, identity, patient_id=kept.patient_id)
        return known and (sight.unlimited or not sight.hides(loads(kept.content)))

    return held
