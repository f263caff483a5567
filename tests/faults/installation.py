"""The service as a hospital runs it, an API and a worker beside Redis and a database, each of which can be killed."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from store import jobs
from store.database import open_database
from tests.servers import processes
from tests.servers.redis import RedisServer
from tests.servers.service import Service

FHIR_JSON = {"Content-Type": "application/fhir+json", "Prefer": "respond-async"}
REPORT_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
DEADLINE_SECONDS = 60.0
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class Installation:
    """An API, a worker, a Redis and a database, each of which can be ended without a word."""

    def __init__(self, folder: Path, database_url: str, settings: Mapping[str, str] = NO_SETTINGS) -> None:
        self.engine = database_url.partition("://")[0].partition("+")[0]
        self.redis = RedisServer()
        self.redis.start()
        self._folder = folder
        self._settings = {
            "FILLERTRACE_REDIS_URL": self.redis.url,
            "FILLERTRACE_DATABASE_URL": database_url,
            "FILLERTRACE_API_PORT": str(processes.free_port()),
            "FILLERTRACE_STORE_LEASE_SECONDS": "2",
            "FILLERTRACE_STORE_RECHECK_SECONDS": "1",
            "FILLERTRACE_API_POLLS_PER_SECOND": "100000",  # wait_for_claim looks as often as it can
            **settings,
        }
        self.api = Service("api", folder=folder, settings=self._settings).start()
        self.base_url = self.api.base_url
        self.worker = self.start_worker()

    def start_worker(self) -> Service:
        self.worker = Service("worker", folder=self._folder, settings=self._settings).start()
        return self.worker

    def stop(self) -> None:
        for service in (self.worker, self.api):
            if service.process.poll() is None:
                service.kill9()
        self.redis.close()

    def submit(self, record: bytes) -> str:
        """Post a record to be correlated later; the status URL. A 202 means it is on disk."""
        answer = httpx.post(f"{self.base_url}/$correlate", content=record, headers=FHIR_JSON, timeout=30)
        assert answer.status_code == 202, answer.text
        return answer.headers["Content-Location"]

    def result(self, status_url: str) -> dict[str, Any]:
        """Wait for the result Bundle of a submission."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            answer = httpx.get(status_url, timeout=30)
            if answer.status_code == 200:
                entry = answer.json()["entry"][0]
                assert entry["response"]["status"].startswith("200"), entry
                bundle: dict[str, Any] = entry["resource"]
                return bundle
            assert answer.status_code == 202, answer.text
            time.sleep(0.1)
        raise AssertionError(f"no result within {DEADLINE_SECONDS:.0f} s")

    def attempts(self, status_url: str) -> int:
        """How often a worker took the job of a submission."""
        database = open_database(self._settings["FILLERTRACE_DATABASE_URL"], pool_size=1, busy_timeout_seconds=30)
        try:
            return jobs.get(database, status_url.rpartition("/")[2]).attempts
        finally:
            database.close()

    def reports_of(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        subject = result["entry"][0]["resource"]["subject"]["reference"]
        query = {"patient": subject.removeprefix("Patient/"), "code": REPORT_CODE}
        found = httpx.get(f"{self.base_url}/DiagnosticReport", params=query, timeout=30).json()
        return [entry["resource"] for entry in found.get("entry", [])]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of /metrics with this name and these labels; 0 where there are none."""
        figures = httpx.get(f"{self.base_url.removesuffix('/fhir')}/metrics", timeout=30).text
        families = text_string_to_metric_families(figures)
        samples = (sample for family in families for sample in family.samples if sample.name == name)
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())
