"""This file puts a version of a report on an EHR that is to have it: once, whatever happens in between."""

from __future__ import annotations

from typing import Any

import structlog

from ehr.client import FhirClient
from ehr.errors import Refused
from ehr.references import literal, references_in
from ehr.write_back import Written, write_back
from fhir_mappings.resource_json import loads
from store import patients, report_search, resources, write_backs
from store.write_backs import WriteBack
from workers.error_words import words_of
from workers.jobs import Parts
from workers.lease import KeptLease
from workers.servers import Servers

_log = structlog.get_logger("fillertrace.worker")
_PATIENCE = 5  # attempts in which an earlier report of ours, withdrawn here, may still be on its way there


def write_next(parts: Parts, servers: Servers) -> bool:
    """Write back what has waited longest; whether there was anything."""
    lease_seconds = parts.settings.lease_seconds
    claimed = write_backs.claim(parts.database, worker=parts.worker, now=parts.clock(), lease_seconds=lease_seconds)
    if claimed is None:
        return False

    def renew() -> None:
        write_backs.renew(parts.database, claimed, now=parts.clock(), lease_seconds=lease_seconds)

    with KeptLease(renew, lease_seconds=lease_seconds):
        try:
            written = _write(claimed, parts, servers)
        except Refused as error:
            _settle(claimed, write_backs.REFUSED, parts, because=error)
        except Exception as error:  # also a fault of ours, which must not stop the others
            _put_off(claimed, words_of(error), parts)
        else:
            if written is Written.ANOTHER_REPORT_THERE and claimed.attempts < _PATIENCE:
                _put_off(claimed, {"error": written.value}, parts)
            else:
                _settle(claimed, written.value, parts)
    return True


def _write(claimed: WriteBack, parts: Parts, servers: Servers) -> Written:
    client = servers.client(claimed.server)
    report = report_search.read(parts.database, claimed.report_id, version=claimed.version)
    result = {
        "entry": [
            {
                "fullUrl": f"{one.type}/{one.id}",
                "resource": {**loads(one.content), "id": one.id},
            }
            for one in report.resources
        ]
    }
    return write_back(client, result, references=_references(result, claimed, client, parts))


def _references(result: dict[str, Any], claimed: WriteBack, client: FhirClient, parts: Parts) -> dict[str, str]:
    """For each reference to an input, and to the patient, the one that the EHR knows."""
    named = {target for text in references_in(result) if (target := literal(text)) is not None}
    urls = resources.source_urls(parts.database, {target.id for target in named})
    known = {
        f"{target.type}/{target.id}": urls[target.id].removeprefix(f"{client.base_url}/")
        for target in named
        if urls.get(target.id, "").startswith(f"{client.base_url}/")
    }
    with parts.database.read() as connection:
        addresses = patients.addresses_at(connection, claimed.patient_id, client.base_url)
    for address in addresses[:1]:
        known[f"Patient/{claimed.patient_id}"] = address.removeprefix(f"{client.base_url}/")
    return known


def _settle(claimed: WriteBack, outcome: str, parts: Parts, *, because: Refused | None = None) -> None:
    said = {} if because is None else words_of(because)
    write_backs.settle(parts.database, claimed, outcome=outcome, error_type=said.get("error"), now=parts.clock())
    _log.info("written-back", **_named(claimed), outcome=outcome, **said)


def _put_off(claimed: WriteBack, said: dict[str, str], parts: Parts) -> None:
    _log.warning("not-written-back", **_named(claimed), **said)
    write_backs.put_off(
        parts.database,
        claimed,
        error_type=said["error"],
        now=parts.clock(),
        retry_delays_seconds=parts.settings.retry_delays_seconds,
    )


def _named(claimed: WriteBack) -> dict[str, object]:
    return {"report": claimed.report_id, "version": claimed.version, "server": claimed.server}
