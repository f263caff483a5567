"""This file says what the direct answer to a request is, once its jobs have ended: body or error, status and headers.

A synchronous call sends it at once; the asynchronous dialects wrap it, split it into files, or lead to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Response

from api.access.sight import Sight
from api.answers import fhir_response
from api.async_requests import AsyncRequest
from api.errors import outcome_response
from api.job_words import failure_issues
from api.results import result_bundle
from api.transaction_response import stored_answer
from correlation.words import BASE_LANGUAGE
from fhir_mappings.issues import Issue
from store import submissions
from store.job_states import Status
from store.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectAnswer:
    """Either `resource` or `issues`. `location` is the version of the report that came of it, `tasks` are its jobs."""

    status: HTTPStatus
    resource: dict[str, Any] | None = None
    issues: tuple[Issue, ...] = ()
    location: str | None = None
    tasks: tuple[str, ...] = ()

    @property
    def status_line(self) -> str:
        """Such as `200 OK`."""
        return f"{self.status.value} {self.status.phrase}"

    def response(self) -> Response:
        """As an HTTP answer."""
        headers = {"Link": ", ".join(f'<{task}>; rel="status"' for task in self.tasks)} if self.tasks else {}
        if self.resource is None:
            return outcome_response(self.status.value, issues=self.issues, headers=headers)
        return fhir_response(self.resource, status=self.status.value, headers=headers)


def answer_of_job(sight: Sight, job: Job, *, current: bool = False, language: str = BASE_LANGUAGE) -> DirectAnswer:
    """What `$correlate` answers once its job has ended, in a language; with `current`, with the report as it is now."""
    base = sight.base
    tasks = (f"{base}/Task/{job.id}",)
    if job.status != Status.COMPLETED:
        return DirectAnswer(status=HTTPStatus.INTERNAL_SERVER_ERROR, issues=failure_issues(job), tasks=tasks)
    return DirectAnswer(
        status=HTTPStatus.OK,
        resource=result_bundle(sight, job, current=current, language=language),
        location=f"{base}/DiagnosticReport/{job.report_id}/_history/{job.report_version}" if job.report_id else None,
        tasks=tasks,
    )


def answer_of(sight: Sight, found: AsyncRequest) -> DirectAnswer:
    """What the request behind a status address would have been answered, had it been waited for."""
    if not found.whole:
        return answer_of_job(sight, found.jobs[0])
    submission = submissions.read(sight.parts.database, found.submission_id)
    return DirectAnswer(
        status=HTTPStatus.OK,
        resource=stored_answer(submission, sight=sight),
        tasks=tuple(f"{sight.base}/Task/{job.job_id}" for job in submission.answer.jobs),
    )
