"""A client of a running service, and records of people it has not met."""

import json
import time
from typing import Any
from uuid import uuid4

import httpx

FHIR_JSON = {"Content-Type": "application/fhir+json"}
OWN_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
PATIENCE = 60.0

Json = dict[str, Any]


class Client:
    """One client of one service."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=PATIENCE)
        self.base_url = base_url

    def post(self, body: Json | bytes, path: str = "/$correlate", **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path, content=content, headers={**FHIR_JSON, **headers})

    def correlate(self, body: Json | bytes) -> Json:
        """The result Bundle, waited for in one request."""
        answer = self.post(body, Prefer="wait=60")
        assert answer.status_code == 200, answer.text
        result: Json = answer.json()
        return result

    def poll(self, status_url: str) -> Json:
        """The one entry of the batch-response Bundle, once the job has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.http.get(status_url)
            if answer.status_code == 200:
                assert answer.json()["type"] == "batch-response"
                entry: Json = answer.json()["entry"][0]
                return entry
            assert answer.status_code == 202, answer.text
            assert len(answer.headers["X-Progress"]) < 100
            time.sleep(0.1)
        raise AssertionError("the job did not end")

    def reports_of(self, patient: str) -> list[Json]:
        found = self.http.get("/DiagnosticReport", params={"patient": patient, "code": OWN_CODE}).json()
        return [entry["resource"] for entry in found.get("entry", [])]


def someone_else(record: bytes) -> bytes:
    """The same record as another person's: another server, another number system."""
    return record.replace(b"ehr.example.org", f"ehr-{uuid4().hex[:8]}.example.org".encode())
