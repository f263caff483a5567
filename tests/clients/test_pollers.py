"""The two pollers of docs/clients, run as programs against a real API and a real worker, in all three dialects."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from store import jobs
from store.database import open_database
from tests.faults.records import published_case_of
from tests.servers import ServerUnavailable, processes
from tests.servers.redis import RedisServer
from tests.servers.service import Service

FOLDER = Path(__file__).parents[2] / "docs" / "clients"
DEADLINE_SECONDS = 60
KICK_OFFS = {
    "manifest": ("?_outputFormat=application/fhir%2Bndjson", "respond-async"),
    "manifest with a status of its own": ("?_outputFormat=ndjson", "respond-async, separate-export-status"),
    "bundle": ("", "respond-async"),
    "redirect": ("", "respond-async, async-result=redirect"),
}
DIALECTS = pytest.mark.parametrize("dialect", KICK_OFFS)


@pytest.fixture(params=["poll.py", "poll.mjs"])
def poller(request: pytest.FixtureRequest) -> list[str]:
    """The command that runs a poller."""
    program = sys.executable if request.param.endswith(".py") else shutil.which("node")
    if program is None:
        raise ServerUnavailable("The JavaScript poller cannot be run because node is not on PATH.")
    return [program, str(FOLDER / request.param)]


@dataclass(frozen=True, kw_only=True)
class Running:
    """An API without a worker, so that a test decides how a job ends."""

    base_url: str
    folder: Path
    settings: dict[str, str]

    def kick_off(self, dialect: str, name: str) -> str:
        query, prefer = KICK_OFFS[dialect]
        answer = httpx.post(
            f"{self.base_url}/$correlate{query}",
            content=published_case_of(name),
            headers={"Content-Type": "application/fhir+json", "Prefer": prefer},
            timeout=30,
        )
        assert answer.status_code == 202, answer.text
        return answer.headers["Content-Location"]

    def fail(self, address: str) -> None:
        """Let a job fail for good, as a worker notes it."""
        database = open_database(self.settings["FILLERTRACE_DATABASE_URL"])
        now = datetime.now(UTC)
        claimed = jobs.claim(database, address.rpartition("/")[2], worker="tests", now=now, lease_seconds=60)
        assert claimed is not None
        jobs.fail(database, claimed, error_type="ValueError", now=now, retry_delays_seconds=(1,), again=False)
        database.close()

    def worker(self) -> Service:
        return Service("worker", folder=self.folder, settings=self.settings)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("pollers")
    with ExitStack() as closing:
        redis = closing.enter_context(RedisServer())
        settings = {
            "FILLERTRACE_REDIS_URL": redis.url,
            "FILLERTRACE_DATABASE_URL": f"sqlite:///{folder / 'record.sqlite3'}",
            "FILLERTRACE_API_PORT": str(processes.free_port()),
        }
        api = closing.enter_context(Service("api", folder=folder, settings=settings))
        yield Running(base_url=api.base_url, folder=folder, settings=settings)


def run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)


@pytest.mark.requirement("ASY-04", "ASY-05", "ASY-06")
def test_a_poller_brings_the_same_resources_in_every_dialect(running: Running, poller: list[str]) -> None:
    name = Path(poller[1]).suffix.removeprefix(".")
    addresses = [running.kick_off(dialect, f"{name}-{number}") for number, dialect in enumerate(KICK_OFFS)]
    waiting = [subprocess.Popen([*poller, address], stdout=subprocess.PIPE, text=True) for address in addresses]
    found: list[list[dict[str, Any]]] = []
    with running.worker():
        for process in waiting:
            printed, _ = process.communicate(timeout=DEADLINE_SECONDS)
            assert process.returncode == 0
            found.append([json.loads(line) for line in printed.splitlines()])
    types = [sorted(resource["resourceType"] for resource in resources) for resources in found]
    assert types[0] == types[1] == types[2] == types[3]
    assert all(resources[0]["resourceType"] == "DiagnosticReport" for resources in found)


@DIALECTS
def test_a_poller_says_why_a_job_failed(running: Running, poller: list[str], dialect: str) -> None:
    address = running.kick_off(dialect, f"fails-{Path(poller[1]).suffix.removeprefix('.')}-{dialect.replace(' ', '-')}")
    running.fail(address)
    done = run(poller, address)
    assert done.returncode == 1
    assert done.stderr.startswith("500")
    assert "$retry" in done.stderr


@pytest.mark.requirement("ASY-07")
@DIALECTS
def test_a_poller_cancels_and_ends_when_another_cancels(running: Running, poller: list[str], dialect: str) -> None:
    address = running.kick_off(
        dialect, f"given-up-{Path(poller[1]).suffix.removeprefix('.')}-{dialect.replace(' ', '-')}"
    )
    ended: list[subprocess.CompletedProcess[str]] = []
    waiting = threading.Thread(target=lambda: ended.append(run(poller, address)))
    waiting.start()
    assert run(poller, "--cancel", address).returncode == 0
    waiting.join(DEADLINE_SECONDS)
    assert ended[0].returncode == 1
    assert ended[0].stderr.startswith("404")
    assert run(poller, "--cancel", address).returncode == 1  # it is gone already
