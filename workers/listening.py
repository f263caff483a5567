"""This file asks the EHRs that are listened to what is new, and has the patients it is about fetched again.

A word of theirs (api/notifications.py) only makes the asking due at once. What we wrote there ourselves is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from admission.fetched import intake_of
from admission.rewriting import rewrite_references
from ehr.client import FhirClient
from ehr.errors import Conflict, EhrError, KeysNotUsable, NoToken, NotPermitted, Unavailable
from ehr.news import Novelty, heard_until, newest, news
from ehr.references import literal
from ehr.subscriptions import keep_subscribed, remove_former
from fhir_mappings.elements import mapping
from fhir_mappings.own_output import is_own_output
from store import intake, jobs, listening, ownership
from store.errors import Busy
from store.listening import FailedFetch, Turn
from workers.error_words import words_of
from workers.jobs import Parts
from workers.lease import KeptLease
from workers.servers import Servers

TYPES = ("ImagingStudy", "DiagnosticReport", "Observation", "Procedure")
_LOOKED_AFTER = timedelta(minutes=10)  # how often the Subscriptions are looked at
_FIRST_PAUSE = timedelta(hours=1)
_LONGEST_PAUSE = timedelta(days=1)
_PASSED = (Unavailable, Conflict, NoToken, KeysNotUsable)
"""What is over when an EHR answers what is new there: it is back, and took our token."""
HEARD = "listen"
"""The kind of what is admitted and fetched because it was heard of."""
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
            _log.warning("not-heard", server=turn.server, **words_of(error))
            seconds = min(servers.settings.poll_seconds, parts.settings.retry_delays_seconds[0] * 5)
            listening.put_off_turn(parts.database, turn, seconds=seconds, now=parts.clock())
    return True


def _listen(turn: Turn, parts: Parts, servers: Servers) -> None:
    client = servers.client(turn.server)
    subscribed = _subscribe(client, turn, parts, servers)
    if turn.heard_until is None:
        until, heard, started = newest(client, TYPES, now=parts.clock()), list[Novelty](), 0
    else:
        found = list(news(client, TYPES, since=turn.heard_until))
        started, missed = _act_on(found, turn, client, parts)
        heard = [one for one in found if one not in missed]
        until = heard_until(turn.heard_until, heard=heard, missed=missed, now=parts.clock())
    started += _begin_again(turn.server, parts)
    listening.end_turn(
        parts.database,
        turn,
        heard_until=until,
        seen=[one.name for one in heard],
        subscribed=subscribed,
        again_after_seconds=servers.settings.poll_seconds,
        now=parts.clock(),
    )
    _log.info("heard", server=turn.server, jobs=started)


def _act_on(found: Sequence[Novelty], turn: Turn, client: FhirClient, parts: Parts) -> tuple[int, list[Novelty]]:
    """Have every patient fetched whom something new is about: how many jobs that takes, and what was missed.

    Missed is what is about a patient who cannot be read for the moment: the others' news does not wait for it.
    """
    unheard = set(listening.unheard(parts.database, turn.server, [one.name for one in found]))
    fresh = [one for one in found if one.name in unheard and not is_own_output(one.resource)]
    started, missed = 0, list[Novelty]()
    for patient, told in _by_patient(fresh, client).items():
        try:
            started += _fetch_again(client, turn.server, patient, parts)
        except Unavailable as error:
            _log.warning("not-admitted", server=turn.server, **words_of(error))
            missed += told
    return started, missed


def _begin_again(server: str, parts: Parts) -> int:
    """The EHR answers: what failed because it did not is begun again, or it would be heard of and never fetched.

    Also what it did not permit, from time to time: nobody else can, since nobody asked for it.
    """
    now = parts.clock()
    names = [error.__name__ for error in (*_PASSED, NotPermitted)]
    failed = listening.failed_fetches(parts.database, server, kind=HEARD, error_types=names)
    due = [one for one in failed if one.error_type != NotPermitted.__name__ or now >= _permitted_perhaps(one)]
    for one in due:
        jobs.retry(parts.database, one.job_id, now=now)
    return len(due)


def _permitted_perhaps(failed: FailedFetch) -> datetime:
    """When to ask again for what was not permitted: after an hour, then after twice as long each time, up to a day."""
    so_far = failed.finished_at - failed.created_at
    return failed.finished_at + min(max(so_far, _FIRST_PAUSE), _LONGEST_PAUSE)


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
        _log.warning("not-subscribed", server=turn.server, **words_of(error))
        return False
    if made:
        _log.info("subscribed", server=turn.server)
    try:
        remove_former(client, endpoint=endpoint)
    except EhrError as error:  # they cost the server a few requests that nobody answers
        _log.warning("former-subscriptions-stay", server=turn.server, **words_of(error))
    return True


def _by_patient(found: Iterable[Novelty], client: FhirClient) -> dict[str, list[Novelty]]:
    """What is new by the ids, on their server, of the patients it is about."""
    about: dict[str, list[Novelty]] = {}
    for one in found:
        subject = literal(mapping(one.resource.get("subject")).get("reference"))
        if subject and subject.type == "Patient" and subject.base_url in (None, client.base_url):
            about.setdefault(subject.id, []).append(one)
    return about


def _fetch_again(client: FhirClient, server: str, remote_id: str, parts: Parts) -> bool:
    """Start a job that fetches a patient; whether one had to be. Who is new here is admitted first."""
    for patient_id in sorted(ownership.same_person(parts.database, [f"{client.base_url}/Patient/{remote_id}"]))[:1]:
        if listening.waits_to_be_fetched(parts.database, patient_id, server):
            return False
        intake.request(
            parts.database,
            patient_id=patient_id,
            caller_id=f"ehr:{server}",
            kind=HEARD,
            source=server,
            now=parts.clock(),
        )
        return True
    try:
        _admit(client, server, remote_id, parts)
    except (Unavailable, Busy):
        raise  # for the moment
    except Exception as error:  # whatever is wrong with one patient, the news of the others must not wait for it
        _log.warning("not-admitted", server=server, **words_of(error))
        return False
    return True


def _admit(client: FhirClient, server: str, remote_id: str, parts: Parts) -> None:
    raw, brought = intake_of(client.base_url, [client.read("Patient", remote_id)])
    intake.receive(
        parts.database,
        kind=HEARD,
        raw=raw,
        caller_id=f"ehr:{server}",
        groups=brought.groups,
        rewrite=rewrite_references,
        now=parts.clock(),
        source=server,
    )
