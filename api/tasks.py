"""This file shows a job as a FHIR Task, and starts a failed one again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access.guard import needs
from api.access.sight import Sight
from api.answers import fhir_response
from api.async_requests import keep_again
from api.ehr_words import standing_words
from api.job_words import failure_issues, progress_words
from api.parts import GivenParts, Parts, base_of, log_ids
from api.representation import form_of
from api.resources import note_read
from fhir_mappings.report_frame import instant
from fhir_mappings.task import JobView, write_task
from store import jobs, outbox, write_backs
from store.errors import NotFound
from store.job_states import Status
from store.jobs import Job

router = APIRouter(prefix="/fhir/Task", tags=["jobs"])


@router.get("/{task_id}", summary="Read a job")
def read_task(
    request: Request,
    task_id: str,
    sight: Annotated[Sight, needs("r", "Task")],
) -> Response:
    """The job as a Task: its state, for whom, what came of it, and why it failed."""
    job = own_job(sight, task_id)
    log_ids(request, job=job.id)
    note_read(sight, type_="Task", identity=job.id, patient_id=job.patient_id)
    return fhir_response(_task(job, sight.parts), form=form_of(request))


@router.post("/{task_id}/$retry", summary="Start a failed or cancelled job again")
def retry(
    request: Request,
    task_id: str,
    sight: Annotated[Sight, needs("u", "Task")],
    parts: GivenParts,
) -> Response:
    """202 with the Task, which is `received` again with all its attempts; 409 for a job that runs or is completed."""
    job = own_job(sight, task_id)
    jobs.retry(parts.database, job.id, now=parts.clock())
    keep_again(parts, job.submission_id)
    log_ids(request, job=job.id)
    # The relay would bring it within a second or so; there is no need to wait for it.
    outbox.relay_once(parts.database, parts.queue, now=parts.clock())
    base = base_of(request)
    headers = {
        "Content-Location": f"{base}/async-status/{job.id}",
        "Link": f'<{base}/Task/{job.id}>; rel="status"',
    }
    return fhir_response(_task(jobs.get(parts.database, job.id), parts), status=202, headers=headers)


def task_of(sight: Sight, task_id: str) -> dict[str, Any]:
    """A job of the caller's as a Task. Raises NotFound."""
    return _task(own_job(sight, task_id), sight.parts)


def own_job(sight: Sight, task_id: str) -> Job:
    """A job that the caller started. Raises NotFound for another's: nothing is said of it, not even that it exists."""
    job = jobs.get(sight.parts.database, task_id)
    if job.caller_id != sight.caller.identity:
        raise NotFound("Task", task_id)
    return job


def _task(job: Job, parts: Parts) -> dict[str, Any]:
    ended_badly = job.status in {Status.FAILED, Status.CANCELLED}
    modified = job.finished_at or job.started_at or job.created_at
    outputs: tuple[str, ...] = ()
    written_back: dict[str, str] = {}
    if job.report_id is not None and job.report_version is not None:
        outputs = (f"DiagnosticReport/{job.report_id}/_history/{job.report_version}",)
        standings = write_backs.standings_of(parts.database, job.report_id)
        written_back = {one.server: standing_words(one, version=job.report_version) for one in standings}
        modified = max([modified, *(one.updated_at for one in standings)])
    written = write_task(
        JobView(
            id=job.id,
            status=job.status,
            reason=progress_words(job),
            patient=f"Patient/{job.patient_id}",
            received=job.created_at,
            last_modified=modified,
            outputs=outputs,
            written_back=written_back,
            issues=failure_issues(job) if ended_badly else (),
        )
    )
    return {**written, "meta": {"lastUpdated": instant(modified), **written.get("meta", {})}}
