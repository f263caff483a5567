"""Schemathesis reads the OpenAPI document of the running service, and asks everything that it can think of."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.openapi.operations import OPERATIONS
from tests.servers.service import Service
from tests.unit.api.service import FHIR_JSON, case

COMMAND = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
MOST_SECONDS = 280
# Who asks as fast as this is told to wait, and jobs are not waited for: both would only take time here.
SETTINGS = {"FILLERTRACE_API_POLLS_PER_SECOND": "100000", "FILLERTRACE_API_WAIT_SECONDS": "0"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "record"
    with Service("serve", "--port", "0", "--data", str(folder), folder=tmp_path, settings=SETTINGS) as running:
        yield running


def _ids(service: Service) -> dict[str, str]:
    """Of a record that is there, so that not everything is 404."""
    answer = httpx.post(
        f"{service.base_url}/$correlate",
        content=case("V01"),
        headers={**FHIR_JSON, "Prefer": "wait=30"},
        timeout=60,
    )
    report, patient = (entry["resource"]["id"] for entry in answer.json()["entry"][:2])
    task = answer.headers["Link"].partition("/Task/")[2].partition(">")[0]
    return {"REPORT_ID": report, "PATIENT_ID": patient, "TASK_ID": task}


@pytest.mark.timeout(MOST_SECONDS + 10)
def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    document = f"{service.base_url.removesuffix('/fhir')}/openapi.json"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **_ids(service)}
    clean = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
    command = [str(COMMAND), "--config-file", str(CONFIGURATION), "run", document, "--continue-on-failure"]
    done = subprocess.run([*clean, *command], cwd=tmp_path, capture_output=True, text=True, timeout=MOST_SECONDS)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert done.stdout.count(f"{len(OPERATIONS)} passed") == 2  # all were reached, by coverage and by fuzzing
