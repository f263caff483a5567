"""A door with something of every fate behind it: kept, deleted, received, signed; jobs that run, ended, failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from store import jobs
from tests.openapi.asking import Asker
from tests.unit.api.service import FHIR_JSON, Door, case

SYSTEM = "https://a.example/mrn"


def patient(number: str = "7") -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": number}], "gender": "female"}


def bundle(type_: str, *entries: dict[str, Any]) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": type_, "entry": list(entries)}).encode()


def entry(method: str, url: str, **more: Any) -> dict[str, Any]:
    return {**more, "request": {"method": method, "url": url, **more.pop("request", {})}}


def somebody(number: str) -> bytes:
    """A record of somebody without imaging."""
    return bundle("collection", {"resource": {**patient(number), "id": "p"}})


class Record:
    """What is asked about, with the ids that the service gave."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.asker = Asker(door)
        self.task_id = self.kick_off(case("V01"))
        door.run(self.task_id)
        result = self.asker.ask("correlate", content=case("V01"), headers=FHIR_JSON).json()
        self.report_id: str = result["entry"][0]["resource"]["id"]
        self.patient_id = self.create(patient())
        self.deleted = self._deleted({"resourceType": "Device", "status": "active"})
        self.received = self.create(self._received("CT"))
        self.deleted_report = self._deleted(self._received("MRI"))

    def _received(self, words: str) -> dict[str, Any]:
        subject = {"reference": f"Patient/{self.patient_id}"}
        return {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": words}, "subject": subject}

    def create(self, resource: dict[str, Any]) -> str:
        """The id of a new resource."""
        at = {"resource_type": resource["resourceType"]}
        made = self.asker.ask("create", at=at, content=json.dumps(resource), headers=FHIR_JSON)
        assert made.status_code == 201, made.text
        identity: str = made.json()["id"]
        return identity

    def _deleted(self, resource: dict[str, Any]) -> str:
        identity = self.create(resource)
        self.asker.ask("delete", at={"resource_type": resource["resourceType"], "resource_id": identity})
        return identity

    def kick_off(self, body: bytes, *, prefer: str = "respond-async", files: bool = False, **headers: str) -> str:
        """The last part of the status address."""
        accepted = self.asker.ask(
            "correlate",
            content=body,
            headers={**FHIR_JSON, "Prefer": prefer, **headers},
            params={"_outputFormat": "ndjson"} if files else {},
        )
        address: str = accepted.headers["Content-Location"]
        return address.rpartition("/")[2]

    def fail(self, job_id: str) -> None:
        """Let a job fail for good, as a worker notes it."""
        now = datetime.now(UTC)
        claimed = jobs.claim(self.door.database, job_id, worker="tests", now=now, lease_seconds=60)
        assert claimed is not None
        jobs.fail(self.door.database, claimed, error_type="ValueError", now=now, retry_delays_seconds=(1,), again=False)

    @property
    def at(self) -> dict[str, str]:
        """An address with something under it."""
        return {
            "resource_type": "Patient",
            "resource_id": self.patient_id,
            "version": "1",
            "patient_id": self.patient_id,
            "report_id": self.report_id,
            "task_id": self.task_id,
        }
