"""Thousands of broken bundles: no 5xx, no hang, nothing accepted is lost, no report is written twice."""

import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from store.database import open_database
from store.tables import jobs, report_versions, reports, submissions
from tests.examples import CASE_IDS, as_transaction, case_bundle
from tests.fuzz.mutations import mutated
from tests.servers.postgresql import PostgresqlServer
from tests.servers.service import Service

SEED = 20261123
CLIENTS = 2
HANG_SECONDS = 5.0
BUNDLES_A_PATIENT = 4  # so that a broken bundle also meets a history
DOORS = ("/$correlate", "/$correlate", "", "/$validate")
HEADERS = {"Content-Type": "application/fhir+json", "Prefer": "respond-async"}
FIGURES = Path(__file__).parents[2] / "docs/fuzzing.md"


def posts(count: int, *, seed: int) -> list[tuple[str, bytes]]:
    """(door, body) of each request; the same for the same seed."""
    chance = random.Random(seed)
    originals = {case_id: case_bundle(case_id) for case_id in CASE_IDS}
    made = []
    for number in range(count):
        door = chance.choice(DOORS)
        bundle = originals[chance.choice(CASE_IDS)]
        body = mutated(as_transaction(bundle) if door == "" else bundle, chance)
        person = f"ehr-{number // BUNDLES_A_PATIENT}.example.org".encode()
        made.append((door, body.replace(b"ehr.example.org", person)))
    return made


class Answers:
    """What the doors said."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0

    def note(self, number: int, answer: httpx.Response, seconds: float) -> None:
        self.statuses[answer.status_code] += 1
        self.slowest = max(self.slowest, seconds)
        if answer.status_code >= 500 or seconds > HANG_SECONDS:
            self.wrong.append(f"request {number}: {answer.status_code} after {seconds:.1f} s")
        elif answer.status_code >= 400:
            body = answer.json()
            if body.get("resourceType") != "OperationOutcome" or not body["issue"][0]["details"]["coding"][0]["code"]:
                self.wrong.append(f"request {number}: {answer.status_code} without an OperationOutcome of ours")


def send(base_url: str, requests: list[tuple[str, bytes]]) -> Answers:
    """Post all of them with a few clients at once."""
    answers, lock, open_requests = Answers(), threading.Lock(), enumerate(requests)

    def client() -> None:
        with httpx.Client(timeout=60) as http:
            while True:
                with lock:
                    number, request = next(open_requests, (-1, None))
                if request is None:
                    return
                started = time.monotonic()
                answer = http.post(base_url + request[0], content=request[1], headers=HEADERS)
                with lock:
                    answers.note(number, answer, time.monotonic() - started)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def left_in(database_url: str, *, deadline_seconds: float) -> tuple[Counter[str], int, int]:
    """Jobs by status once none is open; submissions; reports that live, one for each person who has any."""
    database = open_database(database_url)
    deadline = time.monotonic() + deadline_seconds
    while True:
        with database.read() as connection:
            by_status: Counter[str] = Counter(
                dict(connection.execute(sa.select(jobs.c.status, sa.func.count()).group_by(jobs.c.status)).all())
            )
            stored = connection.scalar(sa.select(sa.func.count()).select_from(submissions)) or 0
            living = connection.scalar(sa.select(sa.func.count()).where(reports.c.living)) or 0
            patients = connection.scalar(sa.select(sa.func.count(reports.c.patient_id.distinct()))) or 0
            versions = connection.scalar(sa.select(sa.func.count()).select_from(report_versions)) or 0
        if not by_status["received"] + by_status["in-progress"] or time.monotonic() > deadline:
            assert living == patients <= versions
            database.close()
            return by_status, stored, living
        time.sleep(0.5)


def run(folder: Path, count: int, *, seed: int, database_url: str) -> tuple[Answers, Counter[str], int, int]:
    """Start a service, send all, wait for all; the answers, the jobs, the living reports and the submissions."""
    folder.mkdir(exist_ok=True)
    settings = {"FILLERTRACE_DATABASE_URL": database_url}
    with Service("serve", "--port", "0", "--data", str(folder / "data"), folder=folder, settings=settings) as service:
        answers = send(service.base_url, posts(count, seed=seed))
        by_status, stored, living = left_in(database_url, deadline_seconds=300)
    return answers, by_status, living, stored


def check(answers: Answers, by_status: Counter[str], living: int, stored: int, *, count: int) -> None:
    assert answers.wrong == []
    assert answers.statuses.total() == count
    assert set(by_status) == {"completed"}, by_status
    # Without these the run would have proved nothing: much was accepted, much was refused, and reports came out.
    assert answers.statuses[202] > count / 5
    assert sum(n for status, n in answers.statuses.items() if status >= 400) > count / 50
    assert living > count / BUNDLES_A_PATIENT / 3
    assert stored >= by_status.total() / 2


def database_of(kind: str, folder: Path, server: PostgresqlServer) -> str:
    """The address of an empty database."""
    return f"sqlite:///{folder}.sqlite3" if kind == "sqlite" else server.create_database(f"fuzz_{uuid4().hex}")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kind", "count", "seed"), [("sqlite", 2_500, SEED), ("postgresql", 2_500, SEED + 1)])
def test_five_thousand_mutated_bundles(
    kind: str, count: int, seed: int, tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    url = database_of(kind, tmp_path / "record", postgresql_server)
    answers, by_status, living, stored = run(tmp_path / "service", count, seed=seed, database_url=url)
    check(answers, by_status, living, stored, count=count)


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_a_hundred_thousand_mutated_bundles(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    """Twenty services of 5,000, each with another seed, so that no record grows beyond what a disk likes."""
    statuses: Counter[int] = Counter()
    slowest, reports_found = 0.0, 0
    for number in range(20):
        folder = tmp_path / str(number)
        url = database_of(("sqlite", "postgresql")[number % 2], folder, postgresql_server)
        answers, by_status, living, stored = run(folder, 5_000, seed=SEED + 2 + number, database_url=url)
        check(answers, by_status, living, stored, count=5_000)
        statuses += answers.statuses
        slowest, reports_found = max(slowest, answers.slowest), reports_found + living
    refused = sum(count for status, count in statuses.items() if status >= 400)
    row = f"{datetime.now(UTC):%Y-%m-%d} | {statuses.total()} | {statuses[202]} | {refused} | 0 | {reports_found} | 0"
    with FIGURES.open("a", encoding="utf-8") as page:
        page.write(f"| {row} | {slowest:.1f} |\n")
