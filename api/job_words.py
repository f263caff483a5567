"""This file says in plain words how a job stands, and why it failed. No values, no messages of exceptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.ehr_words import FAILURES, EhrFailure
from fhir_mappings.issues import ERROR, Issue
from store.job_states import Reason, Status
from store.jobs import Job

_WORDS: Mapping[Reason, str] = {
    Reason.WAITING_FOR_EHR: "waiting to ask the EHR",
    Reason.FETCHING: "asking the EHR",
    Reason.WAITING_FOR_WORKER: "waiting for a worker",
    Reason.WAITING_FOR_PATIENT: "waiting for another job of the same patient",
    Reason.WAITING_FOR_RETRY: "waiting to try again",
    Reason.CORRELATING: "weighing the evidence",
    Reason.REPORT_WRITTEN: "a new version of the report was written",
    Reason.REPORT_UNCHANGED: "the report stands as it was",
    Reason.NO_REPORT: "no report: no imaging is in reach",
    Reason.ATTEMPTS_EXHAUSTED: "every attempt failed",
    Reason.NOT_RETRYABLE: "it failed, and another attempt could not help",
    Reason.WORKER_LOST: "the worker was lost on the last attempt",
    Reason.CANCELLED: "cancelled",
}
_AFTER_A_FAILURE = frozenset({Reason.WAITING_FOR_RETRY, Reason.ATTEMPTS_EXHAUSTED, Reason.NOT_RETRYABLE})


def progress_words(job: Job) -> str:
    """How the job stands, in fewer than 100 characters."""
    failure = _ehr_failure(job)
    words = f"{_WORDS[job.reason]}: EHR {job.source}, {failure.kind}" if failure else _WORDS[job.reason]
    if not job.finished and job.attempts > 1:
        return f"{words} (attempt {job.attempts})"
    return words


def progress_of(jobs: Sequence[Job]) -> str:
    """How a request with several jobs stands, in fewer than 100 characters."""
    words = next((progress_words(job) for job in jobs if not job.finished), "done")
    if len(jobs) < 2:
        return words
    return f"{sum(job.finished for job in jobs)} of {len(jobs)} patients are done; the next is {words}"


def failure_issues(job: Job) -> tuple[Issue, ...]:
    """Why a job gave no result, and what can be done."""
    if job.status == Status.CANCELLED:
        text = f"The job was cancelled. What was received is stored; POST Task/{job.id}/$retry starts it again."
        return (Issue(severity=ERROR, code="suppressed", detail="job-cancelled", text=text),)
    attempts = "1 attempt" if job.attempts == 1 else f"{job.attempts} attempts"
    text = (
        f"The job failed after {attempts}{_why(job)} What was received is stored; "
        f"POST Task/{job.id}/$retry starts it again."
    )
    return (Issue(severity=ERROR, code="processing", detail="job-failed", text=text),)


def _why(job: Job) -> str:
    if failure := _ehr_failure(job):
        return f": the EHR {job.source} {failure.fetching}."
    return f" ({', '.join(filter(None, [_WORDS[job.reason], job.error_type]))})."


def _ehr_failure(job: Job) -> EhrFailure | None:
    """What the last attempt failed by, where that was the EHR that it fetches from."""
    failed = job.source is not None and job.reason in _AFTER_A_FAILURE
    return FAILURES.get(job.error_type or "") if failed else None
