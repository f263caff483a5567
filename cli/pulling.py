"""This file does the work of `fillertrace pull`: fetch one patient's record, correlate it, print, write back."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from admission.withheld import withheld_by
from cli.answer_form import moment
from cli.exit_codes import DONE
from cli.fetch_progress import FetchProgress
from cli.stateless_answer import Answer, answer_bundle, print_answer
from correlation.timeline import Withheld
from ehr.backend_token import BackendToken
from ehr.client import FhirClient
from ehr.history import History, Seen, fetch_history
from ehr.keys import OwnKeys
from ehr.settings import EhrSettings, needed_scope
from ehr.transport import Transport
from ehr.write_back import Written, write_back
from fhir_mappings import canonical
from fhir_mappings.elements import mapping, objects, string
from fhir_mappings.limits import Limits
from fhir_mappings.own_output import is_own_output
from fhir_mappings.resource_json import dumps, loads

_MOST_ENTRIES = 1_000_000  # what bounds a fetched record is its size
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORDS = {
    Written.CREATED: "created",
    Written.UPDATED: "updated",
    Written.UNCHANGED: "stands there already, unchanged",
    Written.EDITED_THERE: "was signed or changed there by a person: nothing was written",
    Written.DELETED_THERE: "was deleted there, or a part of it: nothing was written",
    Written.NEWER_THERE: "was not written: a later version of it stands there",
    Written.ANOTHER_REPORT_THERE: "was not written: the patient has a living report of ours there under another id",
}


def pull(arguments: argparse.Namespace, *, settings: EhrSettings, language: str) -> int:
    """The exit code. Raises EhrError where the server cannot be reached, or refuses."""
    with settings.transport() as transport:
        credentials = _credentials(arguments, settings, transport)
        client = FhirClient(
            transport,
            arguments.base_url,
            credentials=credentials,
            attempts=settings.attempts,
            max_bytes=settings.max_bytes,
            max_pages=settings.max_pages,
        )
        with FetchProgress() as progress:
            history = fetch_history(client, arguments.patient, is_own_output=is_own_output, progress=progress.show)
        withheld = withheld_by(history.visits, granted_scope=credentials.scope if credentials else None)
        _say_what_was_seen(history, withheld, host=client.host)
        answer = _correlate(arguments, settings, history, withheld, language=language)
        code = print_answer(answer, chosen=arguments.format)
        if arguments.write_back and code == DONE:
            _write_back(client, loads(answer.json), history)
        return code


def _credentials(arguments: argparse.Namespace, settings: EhrSettings, transport: Transport) -> BackendToken | None:
    if arguments.client_id is None:
        return None
    return BackendToken(
        transport,
        base_url=arguments.base_url,
        client_id=arguments.client_id,
        keys=OwnKeys(arguments.key_set),
        scope=settings.scope or needed_scope(writes=arguments.write_back),
        token_url=arguments.token_url,
    )


def _correlate(
    arguments: argparse.Namespace,
    settings: EhrSettings,
    history: History,
    withheld: Iterable[Withheld],
    *,
    language: str,
) -> Answer:
    standing = _standing_report(history.own_output)
    answer = partial(
        answer_bundle,
        dumps(history.bundle),
        language=language,
        # What was read is bounded already; as one Bundle it has full addresses besides.
        limits=Limits(bytes=2 * settings.max_bytes, entries=_MOST_ENTRIES),
        withheld=tuple(withheld),
        report_id=standing.id if standing else None,
    )
    as_of, issued = moment(arguments.as_of)
    new = answer(as_of=as_of, issued=issued, version=standing.version + 1 if standing else 1)
    if standing is None or standing.issued is None or arguments.as_of is not None:
        return new
    # Nothing new was said since then: the report stays as it stands, with its own time.
    old = answer(as_of=standing.issued.date(), issued=standing.issued, version=standing.version)
    return old if old.content_digest == new.content_digest else new


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """The patient's living report as it stands on that server."""

    id: str
    version: int
    issued: datetime | None


def _standing_report(own_output: Iterable[dict[str, Any]]) -> _Standing | None:
    """A patient has one living report, whoever made it; None where there is none."""
    for resource in own_output:
        if resource["resourceType"] != "DiagnosticReport" or resource.get("status") == "entered-in-error":
            continue
        for identifier in objects(resource.get("identifier")):
            value = string(identifier.get("value"))
            if identifier.get("system") == canonical.REPORT_IDENTIFIER and _UUID.fullmatch(value):
                version = string(mapping(resource.get("meta")).get("versionId"))
                return _Standing(
                    id=value,
                    version=int(version) if version.isdecimal() else 1,
                    issued=_instant(string(resource.get("issued"))),
                )
    return None


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _say_what_was_seen(history: History, withheld: Iterable[Withheld], *, host: str) -> None:
    """On stderr, by type: how many resources were fetched, and what could not be seen."""
    counts = [f"{visit.type} {visit.count}" for visit in history.visits if visit.count]
    _say(f"fetched from {host}: {', '.join(counts)}")
    if history.own_output:
        _say(f"left out, made by Fillertrace: {len(history.own_output)} resources")
    for outcome, words in (
        (Seen.NOT_PERMITTED, "not permitted"),
        (Seen.NOT_FETCHED, "could not be fetched"),
        (Seen.NOT_OFFERED, "not offered by that server"),
    ):
        types = [visit.type for visit in history.visits if visit.outcome is outcome]
        if types:
            _say(f"{words}: {', '.join(types)}")
    named = [f"{item.data} ({item.because})" for item in withheld]
    if named:
        _say(f"the answer says that it could not see all of: {', '.join(named)}")


def _write_back(client: FhirClient, result: dict[str, Any], history: History) -> None:
    """Put the report on the server, and say on stderr what came of it. Raises EhrError."""
    report = result["entry"][0]["resource"]
    if report["resourceType"] != "DiagnosticReport":
        _say("not written back: there is no report, as no imaging is in reach")
        return
    written = write_back(client, result, references=history.references())
    _say(f"DiagnosticReport/{report['id']} on {client.host}: {_WORDS[written]}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
