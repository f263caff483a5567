"""This file names what can go wrong in the record and the queue. Messages carry ids and element names, never values."""

from __future__ import annotations


class StoreError(Exception):
    """Anything the record or the queue cannot do."""


class SettingsError(StoreError):
    """A FILLERTRACE_ variable is unknown or cannot be read, or a part it names cannot be used as it stands."""


class NotFound(StoreError):
    """No such thing under this id, and there never was."""

    def __init__(self, kind: str, identity: str) -> None:
        super().__init__(f"no {kind} with id {identity}")
        self.kind = kind
        self.identity = identity


class Gone(NotFound):
    """It was here and was deleted; its history can still be read."""


class AlreadyFinished(StoreError):
    """The job or the report has reached an end from which this step is not possible."""


class LeaseLost(StoreError):
    """This worker's claim is no longer valid.

    It ran out, was taken over, or the job was cancelled. Nothing was written.
    """


class Busy(StoreError):
    """The database is locked, unreachable, or something moved on meanwhile.

    The same call may succeed a little later.
    """


class VersionConflict(StoreError):
    """`If-Match` named another version than the current one.

    `current` is the current one; `entry_index` the entry of the bundle that named the other; `others` are those that
    failed beside it.
    """

    others: tuple[VersionConflict, ...] = ()

    def __init__(self, kind: str, identity: str, *, current: int, entry_index: int | None = None) -> None:
        super().__init__(f"{kind} {identity} is at version {current}")
        self.kind = kind
        self.identity = identity
        self.current = current
        self.entry_index = entry_index


class PatientConflict(StoreError):
    """What was sent would mix two people; nothing was stored.

    `element` says what contradicts, as a path inside the Patient: `birthDate`, `gender`, `identifier` (its identifiers
    belong to two known patients), or `subject` (an id of ours that belongs to another patient). `group` is the place of
    the patient in the call; `entry_index` the entry of the bundle at fault, where one can be named; `others` are those
    of other patients that failed beside it.
    """

    others: tuple[PatientConflict, ...] = ()

    def __init__(self, element: str, *, group: int = 0, entry_index: int | None = None) -> None:
        super().__init__(f"patient-conflict at {element}")
        self.element = element
        self.group = group
        self.entry_index = entry_index


class ConditionNotMet(StoreError):
    """A condition of an entry finds nothing, or more than one; nothing was stored.

    `entry_index` is the entry that asks, `element` the path of its condition inside the entry, `text` the condition of
    a reference as it stands; `others` are those that failed beside it.
    """

    others: tuple[ConditionNotMet, ...] = ()

    def __init__(self, *, entry_index: int | None, element: str, text: str = "") -> None:
        super().__init__(f"entry {entry_index}: the condition at {element} is not met")
        self.entry_index = entry_index
        self.element = element
        self.text = text


class NoMatch(ConditionNotMet):
    """A conditional reference finds nothing."""


class SeveralMatches(ConditionNotMet):
    """A condition finds more than one resource."""


class IdentityOverlap(StoreError):
    """Several entries of a transaction are about one resource of ours; nothing was stored."""

    def __init__(self, entry_indexes: tuple[int, ...]) -> None:
        super().__init__(f"entries {entry_indexes} are about one resource")
        self.entry_indexes = entry_indexes


class OutOfBounds(StoreError):
    """These entries would write farther than the caller may; nothing was stored. It says nothing of what is there."""

    def __init__(self, entry_indexes: tuple[int, ...]) -> None:
        super().__init__("written farther than the caller may")
        self.entry_indexes = entry_indexes


class KeyReused(StoreError):
    """The caller has used this Idempotency-Key before, with another body. `submission_id` is the earlier one."""

    def __init__(self, submission_id: str) -> None:
        super().__init__(f"the idempotency key belongs to submission {submission_id}")
        self.submission_id = submission_id


class NewerDatabase(StoreError):
    """The database was written by a newer Fillertrace; this one must not touch it."""


class QueueUnfit(StoreError):
    """The Redis server cannot be used: too old, or it may throw keys away."""


class RedisMissing(StoreError):
    """No Redis server could be started on this machine, or it did not come up."""
