"""Records to replay: the public cases, sent as a client sends them, and a knowledge base with one rule changed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from admission.incoming import intake_from
from admission.rewriting import rewrite_references
from correlation.knowledge_base import knowledge_files
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.patient_groups import sort_by_patient
from store import intake, resources
from store.database import Database
from tests.examples import case_bytes


def send(database: Database, raw: bytes, *, now: datetime) -> tuple[str, str]:
    """Job and patient."""
    bundle = parse_bundle(raw)
    taken = intake_from(
        bundle,
        sort_by_patient(bundle),
        base_url="http://us/fhir",
        held=lambda type_, own_id: resources.held(database, type_, own_id),
    )
    received = intake.receive(
        database,
        kind="transaction",
        raw=raw,
        caller_id="c",
        groups=taken.groups,
        loose=taken.loose,
        rewrite=rewrite_references,
        now=now,
    )
    return received.jobs[0].job_id, received.jobs[0].patient_id


def record(case_id: str, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The record of a case as a dictionary, without the resources of some types."""
    read: dict[str, Any] = json.loads(case_bytes(case_id))
    read["entry"] = [entry for entry in read["entry"] if entry["resource"]["resourceType"] not in without]
    return read


def as_bytes(read: Mapping[str, Any]) -> bytes:
    """What a client would send."""
    return json.dumps(read).encode()


def changed_files(path: str, old: str, new: str, *, edition: str) -> dict[str, bytes]:
    """Today's knowledge base with every `old` in one file replaced, under another edition."""
    files = dict(knowledge_files())
    text = files[path].decode()
    assert old in text, f"{path} no longer says {old}"
    files[path] = text.replace(old, new).encode()
    lines = files["edition.toml"].decode().splitlines()
    renamed = [f'edition = "{edition}"' if line.startswith("edition =") else line for line in lines]
    return files | {"edition.toml": "\n".join(renamed).encode()}
