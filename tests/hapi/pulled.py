"""Patients with the published history on a FHIR server, fetched and correlated as `fillertrace pull` does it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from correlation.catalogue import Knowledge
from correlation.knowledge_base import load_knowledge
from ehr.client import FhirClient
from ehr.history import History, fetch_history
from ehr.transport import Transport
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.own_output import is_own_output
from fhir_mappings.resource_json import dumps, loads
from fhir_mappings.stateless import correlate_parsed
from tests.examples import as_transaction, case_bytes

REPORT = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
AS_OF = date(2026, 11, 1)


def client_of(transport: Transport, base_url: str) -> FhirClient:
    """A client with short pauses."""
    return FhirClient(transport, base_url, pause_seconds=0.01)


def load_patient(client: FhirClient, *, case_id: str = "V01") -> str:
    """Load a case as the record of a new person; the id that the server gave."""
    return load_record(client, case_bytes(case_id))


def load_record(client: FhirClient, record: bytes) -> str:
    """Load a record as that of a new person, with identifiers of their own; the id that the server gave."""
    own = record.replace(b"ehr.example.org", f"ehr-{uuid4().hex}.example.org".encode())
    created = client.transaction(as_transaction(json.loads(own)))
    locations = [entry["response"]["location"] for entry in created["entry"]]
    (patient,) = [location.split("/")[1] for location in locations if location.startswith("Patient/")]
    return patient


def fetched(client: FhirClient, patient_id: str) -> History:
    """The record as the server gives it."""
    return fetch_history(client, patient_id, is_own_output=is_own_output)


@cache
def knowledge(language: str) -> Knowledge:
    """The knowledge base, read once."""
    return load_knowledge().in_language(language)


def correlated(
    history: History,
    *,
    as_of: date = AS_OF,
    language: str = "en",
    report_id: str | None = None,
    version: int = 1,
) -> dict[str, Any]:
    """The result Bundle over a record."""
    result = correlate_parsed(
        parse_bundle(dumps(history.bundle)),
        knowledge=knowledge(language),
        as_of=as_of,
        issued=datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC),
        software_version="test",
        report_id=report_id,
        version=version,
    )
    bundle: dict[str, Any] = loads(dumps(result.bundle))
    return bundle


def reports_there(client: FhirClient, patient_id: str) -> list[dict[str, Any]]:
    """Our reports of a patient on the server."""
    return list(client.search("DiagnosticReport", {"patient": patient_id, "code": REPORT}))
