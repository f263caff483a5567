"""This file fetches a patient's record from an EHR for a job that asks for it, and admits it like any other Bundle.

What an EHR no longer has is deleted here, after a look; what it would not show is kept by class, for the report to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import structlog

from admission.fetched import intake_of
from admission.rewriting import rewrite_references
from admission.withheld import withheld_by, write_withheld
from ehr.client import FhirClient
from ehr.errors import NotThere, Unavailable
from ehr.history import History, Seen, fetch_history
from fhir_mappings.own_output import is_own_output
from store import jobs, patients, resources, submissions
from store.errors import LeaseLost
from store.fetched import Fetched, keep_fetched
from store.incoming import Deletion
from store.outbox import bring_next, hand_over
from store.resources import StoredResource
from workers.jobs import Parts, note_failure, renew
from workers.lease import KeptLease
from workers.listening import HEARD
from workers.servers import Servers

_log = structlog.get_logger("fillertrace.worker")


def fetch_next(parts: Parts, servers: Servers) -> bool:
    """Do the fetch that has waited longest; whether there was one."""
    claimed = jobs.claim_fetch(
        parts.database,
        worker=parts.worker,
        now=parts.clock(),
        lease_seconds=parts.settings.lease_seconds,
        max_attempts=parts.settings.max_attempts,
    )
    if claimed is None or claimed.source is None:
        return False
    with KeptLease(lambda: renew(claimed, parts), lease_seconds=parts.settings.lease_seconds):
        try:
            fetched = _fetch(claimed, claimed.source, parts, servers)
            others = keep_fetched(parts.database, claimed, fetched, rewrite=rewrite_references, now=parts.clock())
            hand_over(parts.database, parts.queue, others)
            _log.info("fetched", job=claimed.job_id, server=claimed.source, withheld=len(fetched.withheld))
        except LeaseLost:
            _log.warning("lease-lost", job=claimed.job_id, attempt=claimed.attempt)
        except Exception as error:
            note_failure(claimed, error, parts)
            parts.queue.announce(claimed.job_id)
    bring_next(parts.database, parts.queue, claimed.patient_id, now=parts.clock())
    return True


def _fetch(claimed: jobs.Claimed, server: str, parts: Parts, servers: Servers) -> Fetched:
    """What an EHR holds of a patient of ours, ready to be kept. Raises EhrError, BundleRejected, StoreError."""
    client = servers.client(server)
    histories = [
        fetch_history(client, remote_id, is_own_output=is_own_output)
        for remote_id in _remote_ids(client, claimed.patient_id, parts)
    ]
    if any(one.interrupted for one in histories) and _can_wait(claimed, parts):
        raise Unavailable(f"{client.host} did not answer all that was asked")
    visits = [visit for history in histories for visit in history.visits]
    raw, brought = intake_of(client.base_url, _every(histories))
    return Fetched(
        server=server,
        sha256=hashlib.sha256(raw).hexdigest(),
        groups=brought.groups,
        loose=brought.loose,
        links=brought.links,
        deletions=tuple(_gone(client, claimed.patient_id, histories, parts)),
        withheld=write_withheld(withheld_by(visits, granted_scope=servers.granted_scope(server))),
    )


def _can_wait(claimed: jobs.Claimed, parts: Parts) -> bool:
    """Whether to ask again before a report says that it could not see all: nobody would ask for what was only heard of.

    Whoever asked themselves is answered now.
    """
    heard = submissions.kick_off(parts.database, claimed.submission_id).kind == HEARD
    return heard and claimed.attempt < parts.settings.max_attempts


def _every(histories: Iterable[History]) -> Iterator[dict[str, object]]:
    for history in histories:
        yield from (entry["resource"] for entry in history.bundle["entry"])


def _remote_ids(client: FhirClient, patient_id: str, parts: Parts) -> list[str]:
    """The ids of a patient on the EHR: by the addresses we know, else by the one Patient there with their identifier.

    Raises NotThere where there is none.
    """
    with parts.database.read() as connection:
        addresses = patients.addresses_at(connection, patient_id, client.base_url)
        identifiers = patients.identifiers_of(connection, patient_id)
    if addresses:
        return [address.rpartition("/")[2] for address in addresses]
    for system, value in identifiers:
        found = list(client.search("Patient", {"identifier": f"{_escaped(system)}|{_escaped(value)}", "_count": "2"}))
        ids = {one["id"] for one in found if one["resourceType"] == "Patient"}
        if len(ids) == 1:
            return list(ids)
    raise NotThere(f"{client.host} does not know this patient by any address or identifier of ours")


def _escaped(text: str) -> str:
    """A value inside a search parameter. FHIR R4 https://hl7.org/fhir/R4/search.html#escaping"""
    for mark in ("\\", ",", "|", "$"):
        text = text.replace(mark, f"\\{mark}")
    return text


def _gone(client: FhirClient, patient_id: str, histories: Iterable[History], parts: Parts) -> Iterator[Deletion]:
    """What came from this EHR earlier and is not there any longer, of the types that were seen whole.

    A search may miss what is there (an index behind its time), so each is looked for by its id before it is deleted.
    """
    found = {entry["fullUrl"] for history in histories for entry in history.bundle["entry"]}
    seen = {visit.type for history in histories for visit in history.visits if visit.outcome is Seen.SEEN}
    for kept in resources.of_patient(parts.database, patient_id):
        if (
            kept.type in seen
            and kept.patient_id == patient_id
            and _came_from(kept, client)
            and kept.source_url not in found
        ):
            try:
                client.read(kept.type, str(kept.source_url).rpartition("/")[2])
            except NotThere:
                yield Deletion(type=kept.type, id=kept.id)


def _came_from(kept: StoredResource, client: FhirClient) -> bool:
    return kept.type != "Patient" and (kept.source_url or "").startswith(f"{client.base_url}/{kept.type}/")
