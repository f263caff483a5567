"""This file names the states of a job (docs/states.md draws them)."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The words of FHIR's Task.status that a job can have."""

    RECEIVED = "received"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """The finer word beside the status, for people and `X-Progress`."""

    WAITING_FOR_EHR = "waiting-for-ehr"  # the patient's record is to be fetched from there first
    FETCHING = "fetching"
    WAITING_FOR_WORKER = "waiting-for-worker"
    WAITING_FOR_PATIENT = "waiting-for-patient"  # another job of the same patient is at work
    WAITING_FOR_RETRY = "waiting-for-retry"
    CORRELATING = "correlating"
    REPORT_WRITTEN = "report-written"
    REPORT_UNCHANGED = "report-unchanged"
    NO_REPORT = "no-report"
    ATTEMPTS_EXHAUSTED = "attempts-exhausted"
    NOT_RETRYABLE = "not-retryable"
    WORKER_LOST = "worker-lost"  # the last attempt ended without a word: killed, or out of memory
    CANCELLED = "cancelled"


FINISHED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
