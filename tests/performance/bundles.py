"""The bundles that are sent: one ten-entry record as many people's, as a collection and as a transaction for HAPI."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.examples import as_transaction, case_bundle, case_bytes

CASE = "V06"  # ten entries, 13 kB: a patient, a filler procedure, six laboratory results, a CT with its report
ENTRIES = 10
MOST_AT_ONCE = 990
_HOST = b"ehr.example.org"


def record_of(number: int | str) -> bytes:
    """The record as another person's: another server, other numbers, the same facts."""
    return case_bytes(CASE).replace(_HOST, f"ehr-{number}.example.org".encode())


def transaction_of(number: int | str) -> bytes:
    """The same record as a transaction of creates, for a FHIR server."""
    return _transaction().replace(_HOST, f"ehr-{number}.example.org".encode())


@cache
def _transaction() -> bytes:
    return json.dumps(as_transaction(case_bundle(CASE))).encode()


def patient_with(size: int, *, number: str) -> Iterator[bytes]:
    """One patient with so many resources, in bundles: the ten, and laboratory results of many years."""
    bundle: dict[str, Any] = json.loads(record_of(number))
    pattern = next(_resources(bundle, "Observation"))
    patient = next(entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    yield record_of(number)
    for start in range(0, size - ENTRIES, MOST_AT_ONCE):
        results = [_result(pattern, index) for index in range(start, min(start + MOST_AT_ONCE, size - ENTRIES))]
        yield json.dumps(bundle | {"entry": [patient, *results]}).encode()


def addition_to(number: str, index: int) -> bytes:
    """A bundle that brings one new laboratory result of a patient who is known."""
    bundle: dict[str, Any] = json.loads(record_of(number))
    patient = next(entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    pattern = next(_resources(bundle, "Observation"))
    return json.dumps(bundle | {"entry": [patient, _result(pattern, 1_000_000 + index)]}).encode()


def _resources(bundle: dict[str, Any], type_: str) -> Iterator[dict[str, Any]]:
    return (entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == type_)


def _result(pattern: dict[str, Any], index: int) -> dict[str, Any]:
    day = f"{1990 + index % 35}-{1 + index % 12:02d}-{1 + index % 28:02d}"
    number = {"system": "https://lab.example.org/results", "value": str(index)}
    resource = {**pattern, "identifier": [number], "effectiveDateTime": day}
    resource.pop("id", None)
    return {"fullUrl": f"urn:uuid:00000000-0000-4000-9000-{index:012d}", "resource": resource}
