"""This file asks the EHRs that are listened to what is new, and has the patients it is about fetched again.

A word of theirs (api/notifications.py) only makes the asking due at once. What we wrote there ourselves is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import structlog

from admission.incoming import intake_from
from admission.rewriting import rewrite_references
from ehr.client import FhirClient, searchset
from ehr.errors import EhrError, NotThere
from ehr.news import Novelty, later, newest, news
from ehr.references import literal
from ehr.subscriptions import keep_subscribed
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.elements import mapping
from fhir_mappings.own_output import is_own_output
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.resource_json import dumps
from store import intake, listening, ownership
from store.errors import StoreError
from store.listening import Turn
from workers.jobs import Parts
from workers.lease import KeptLease
from workers.servers import Servers

TYPES = ("ImagingStudy", "DiagnosticReport", "Observation", "Procedure")
_LOOKED_AFTER = timedelta(minutes=10)  # how often the Subscriptions are looked at
_KIND = "listen"
_log = structlog.get_logger("fillertrace.worker")


def listen_next(parts: Parts, servers: Servers) -> bool:
    """Ask one EHR that is due what is new; whether one was due."""
    names = servers.settings.subscribe
    if not names:
        return False
    lease_seconds = parts.settings.lease_seconds
    turn = listening.take_turn(
        parts.database, names, worker=parts.worker, now=parts.clock(), lease_seconds=lease_seconds
    )
    if turn is None:
        return False

    def renew() -> None:
        listening.renew(parts.database, turn, now=parts.clock(), lease_seconds=lease_seconds)

    with KeptLease(renew, lease_seconds=lease_seconds):
        try:
            _listen(turn, parts, servers)
        except Exception as error:  # whatever it is, the EHR is asked again
            _log.warning("not-heard", server=turn.server, error=type(error).__name__)
            seconds = min(servers.settings.poll_seconds, parts.settings.retry_delays_seconds[0] * 5)
            listening.put_off_turn(parts.database, turn, seconds=seconds, now=parts.clock())
    return True


def _listen(turn: Turn, parts: Parts, servers: Servers) -> None:
    client = servers.client(turn.server)
    subscribed = _subscribe(client, turn, parts, servers)
    if turn.heard_until is None:
        until, found = newest(client, TYPES), list[Novelty]()
    else:
        found = list(news(client, TYPES, since=turn.heard_until))
        until = later([turn.heard_until, *(one.updated for one in found)])
    unheard = set(listening.unheard(parts.database, turn.server, [one.name for one in found]))
    fresh = [one for one in found if one.name in unheard and not is_own_output(one.resource)]
    started = sum(_fetch_again(client, turn.server, patient, parts) for patient in _patients_of(fresh, client))
    listening.end_turn(
        parts.database,
        turn,
        heard_until=until,
        seen=[one.name for one in found],
        subscribed=subscribed,
        again_after_seconds=servers.settings.poll_seconds,
        now=parts.clock(),
    )
    _log.info("heard", server=turn.server, new=len(fresh), jobs=started)


def _subscribe(client: FhirClient, turn: Turn, parts: Parts, servers: Servers) -> bool:
    """See to the Subscriptions, now and then; whether that was done. Without them, asking is enough, only later."""
    settings = servers.settings
    recent = turn.subscribed_at is not None and parts.clock() - turn.subscribed_at < _LOOKED_AFTER
    if settings.notify_url is None or recent:
        return False
    endpoint = f"{settings.notify_url.rstrip('/')}/notify/{settings.notify_secret}/{turn.server}"
    try:
        made = keep_subscribed(client, types=TYPES, endpoint=endpoint)
    except EhrError as error:
        _log.warning("not-subscribed", server=turn.server, error=type(error).__name__)
        return False
    if made:
        _log.info("subscribed", server=turn.server)
    return True


def _patients_of(found: Iterable[Novelty], client: FhirClient) -> list[str]:
    """The ids, on their server, of the patients it is about, each once."""
    subjects = (literal(mapping(one.resource.get("subject")).get("reference")) for one in found)
    named = (one.id for one in subjects if one and one.type == "Patient" and one.base_url in (None, client.base_url))
    return list(dict.fromkeys(named))


def _fetch_again(client: FhirClient, server: str, remote_id: str, parts: Parts) -> bool:
    """Start a job that fetches a patient; whether one had to be. Who is new here is admitted first."""
    database, caller_id = parts.database, f"ehr:{server}"
    for patient_id in sorted(ownership.same_person(database, [f"{client.base_url}/Patient/{remote_id}"]))[:1]:
        if listening.waits_to_be_fetched(database, patient_id, server):
            return False
        intake.request(
            database, patient_id=patient_id, caller_id=caller_id, kind=_KIND, source=server, now=parts.clock()
        )
        return True
    try:
        patient: Mapping[str, object] = client.read("Patient", remote_id)
    except NotThere:
        return False
    raw = dumps(searchset(client.base_url, [dict(patient)]))
    parsed = parse_bundle(raw)
    brought = intake_from(
        parsed, sort_by_patient(parsed), base_url="urn:fillertrace:nowhere", held=lambda type_, identity: False
    )
    try:
        intake.receive(
            database,
            kind=_KIND,
            raw=raw,
            caller_id=caller_id,
            groups=brought.groups,
            rewrite=rewrite_references,
            now=parts.clock(),
            source=server,
        )
    except StoreError as error:
        _log.warning("not-admitted", server=server, error=type(error).__name__)
        return False
    return True
