"""What is measured without any server: the bare reading that a bundle's cost is compared with."""

import sqlite3
from pathlib import Path

import orjson
from fhir.resources.R4B.bundle import Bundle

from tests.performance.bundles import record_of
from tests.performance.costs import cpu_seconds


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
        "parse": cpu_seconds(lambda: orjson.loads(raw)) * 1000,
        "validate": cpu_seconds(lambda: Bundle.model_validate(parsed)) * 1000,
        "commit": cpu_seconds(commit) * 1000,
    }
    database.close()
    return found
