"""What is measured without any server: the engine alone, and the bare reading that a bundle's cost is compared with."""

import gc
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import orjson
from fhir.resources.R4B.bundle import Bundle

from correlation.assess import assess
from correlation.assessment import Assessment
from correlation.knowledge_base import load_knowledge
from correlation.timeline import PatientTimeline
from tests.builders import AS_OF, NORMAL_LABS, exam, finding, injection, lab, timeline
from tests.performance.bundles import record_of

_ROUNDS = 7
_CALLS = 20


def fifty_events() -> PatientTimeline:
    """Nine injections of three materials, 35 laboratory results, two studies with four mentions of two findings."""
    return timeline(
        injections=[injection(on=f"{2012 + place}", material=("caha", "ha", "plla")[place % 3]) for place in range(9)],
        findings=[
            finding(at=region, on=day)
            for region in ("zygomatic both", "malar both")
            for day in ("2021-10-15", "2022-01-01")
        ],
        labs=[lab(test, value, on=f"{2014 + year}-10-29") for year in range(7) for test, value in NORMAL_LABS.items()],
        exams=[exam(on="2021-10-15"), exam(on="2022-01-01")],
    )


def engine_milliseconds() -> dict[str, float]:
    """CPU time of one assessment, best of seven rounds: without `would_change`, with it, and with all words read."""
    facts, knowledge = fifty_events(), load_knowledge()
    gc.freeze()  # as a worker does after loading

    def plain() -> Assessment:
        return assess(facts, knowledge, as_of=AS_OF, would_change=False)

    def full() -> Assessment:
        return assess(facts, knowledge, as_of=AS_OF)

    def read() -> object:
        return [list(cause.answers) for cause in full().differential]

    return {name: _cpu(call) * 1000 for name, call in (("plain", plain), ("full", full), ("read", read))}


def bare_milliseconds(folder: Path) -> dict[str, float]:
    """CPU time of what nobody can do without: parsing a bundle, one fhir.resources validation, one durable commit."""
    raw = record_of("bare")
    parsed = orjson.loads(raw)
    database = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE kept (raw BLOB)")

    def commit() -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO kept VALUES (?)", (raw,))
        database.execute("COMMIT")

    found = {
        "parse": _cpu(lambda: orjson.loads(raw)) * 1000,
        "validate": _cpu(lambda: Bundle.model_validate(parsed)) * 1000,
        "commit": _cpu(commit) * 1000,
    }
    database.close()
    return found


def _cpu(call: Callable[[], object]) -> float:
    call()
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_CALLS):
            call()
        rounds.append((time.process_time() - began) / _CALLS)
    return min(rounds)
