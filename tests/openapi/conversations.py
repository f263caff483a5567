"""What is asked so that each documented status is answered: by its cause, the same for all operations where it is."""

from __future__ import annotations

import json
import time

from api.openapi.operations import OPERATIONS
from tests.openapi.asking import Asker
from tests.openapi.record import Record, bundle, entry, patient, somebody
from tests.servers.token_server import TokenServer
from tests.unit.api.service import FHIR_JSON, case

MOST_BYTES = 100_000
_FROM_AN_EHR = json.dumps({"resourceType": "Parameters", "parameter": [{"name": "source", "valueString": "main"}]})
_UNKNOWN = json.dumps({"resourceType": "Parameters", "parameter": [{"name": "colour"}]})
_ABOUT_THE_DOOR = ("metadata", "read_smart_configuration", "evidence", "live", "ready", "metrics")
_LONG_KEY = {**FHIR_JSON, "Idempotency-Key": "k" * 256}

_SOMEWHERE = {"resource_type": "Patient", "version": "1"}


def what_all_refuse_alike(record: Record) -> None:
    """Who asks, what can be read, how large and of which kind the body is, an unknown address, a senseless value."""
    ask = record.asker.ask
    for name, row in OPERATIONS.items():
        if 403 in row.refuses:
            ask(name, at=record.at, headers={**FHIR_JSON, "Sec-Fetch-Site": "cross-site"})
        if 406 in row.refuses:
            ask(name, at=record.at, headers={"Accept": "application/fhir+xml"})
        if 413 in row.refuses:
            ask(name, at=record.at, content=b" " * (MOST_BYTES + 1), headers=FHIR_JSON)
        if 415 in row.refuses:
            ask(name, at=record.at, content=b"{}", headers={"Content-Type": "text/plain"})
        if 404 in row.refuses and name != "transaction":
            ask(name, at={"resource_type": "Spaceship", "version": "1"})
        if 400 in row.refuses and "_summary" in row.takes:
            ask(name, at={**record.at, **row.path_examples}, params={"_summary": "sometimes"})
        elif 400 in row.refuses:
            ask(name, at=record.at, content=_UNKNOWN if row.body else b"", headers=_LONG_KEY)


def what_is_said_of_the_service(record: Record) -> None:
    ask = record.asker.ask
    for name in _ABOUT_THE_DOOR:
        ask(name)
    ask("evidence", headers={"Accept": "application/json"})
    for name, row in OPERATIONS.items():
        if "artefact_id" in row.path_examples:
            ask(name, at=row.path_examples)
        if row.searched == "artefacts":
            ask(name)
    for name in ("validate_any", "validate_type", "validate_instance"):
        ask(name, at=record.at, content=json.dumps({**patient(), "id": record.patient_id}), headers=FHIR_JSON)
    ask("validate_instance", at={"resource_type": "Device", "resource_id": record.deleted})


def what_is_published(record: Record) -> None:
    """Our keys, where there are any."""
    record.asker.ask("own_keys")


def what_is_read(record: Record) -> None:
    ask, at = record.asker.ask, record.at
    gone = {"resource_type": "Device", "resource_id": record.deleted, "version": "2"}
    for name in ("read_resource", "read_version"):
        ask(name, at=at)
        ask(name, at=at, headers={"If-None-Match": 'W/"1"'})
        ask(name, at=gone)
        report = {"resource_type": "DiagnosticReport", "resource_id": record.report_id, "version": "1"}
        ask(name, at=report, headers={"Accept-Language": "es"})
    ask("read_history", at=gone)
    ask("search_type", at=at, params={"identifier": "7", "_include": "*"})
    ask("search_by_form", at=at, data={"identifier": "7"})
    for name in ("explain", "explain_by_post"):
        for report_id in (record.report_id, record.received, record.deleted_report):
            ask(name, at={"report_id": report_id})


def what_is_written(record: Record) -> None:
    ask, at, of_type = record.asker.ask, record.at, {"resource_type": "Patient"}
    body = json.dumps(patient())
    record.create(patient("8"))
    for condition in ("identifier=7", "gender=female"):  # one fits; several do
        ask("create", at=of_type, content=body, headers={**FHIR_JSON, "If-None-Exist": condition})
    ask("create", at={"resource_type": "Provenance"}, content=body, headers=FHIR_JSON)
    ask("create", at=of_type, content=b'{"resourceType":"Patient","meta":{"tag":[]', headers=FHIR_JSON)
    changed = {**patient(), "id": record.patient_id, "active": True}
    for headers in ({}, {"If-Match": 'W/"1"'}, {"Prefer": "return=minimal"}):
        ask("update", at=at, content=json.dumps(changed), headers={**FHIR_JSON, **headers})
    back = {"resourceType": "Device", "id": record.deleted, "status": "active"}
    ask("update", at={"resource_type": "Device", "resource_id": record.deleted}, content=json.dumps(back))
    ask("update", at=of_type, content=json.dumps({**patient(), "id": "nothing"}), headers=FHIR_JSON)
    own = {"resource_type": "DiagnosticReport", "resource_id": record.report_id}
    report = ask("read_resource", at=own).json()
    withdrawn = {**report, "status": "entered-in-error"}
    ask("update", at=own, content=json.dumps(withdrawn), headers=FHIR_JSON)
    ask("update", at=own, content=json.dumps({**withdrawn, "conclusion": "No."}), headers={"If-Match": 'W/"1"'})
    ask("update", at=own, content=json.dumps(withdrawn), headers={"If-Match": 'W/"1"'})
    ask("update", at=own, content=json.dumps(withdrawn), headers={"If-Match": 'W/"2"'})
    ask("delete", at=own)
    ask("delete", at=at, headers={"If-Match": 'W/"9"'})
    ask("delete", at={**of_type, "resource_id": record.create(patient("9"))})
    again = {**of_type, "resource_id": record.create(patient("10"))}
    ask("delete", at=again, headers={"Prefer": "return=OperationOutcome"})


def what_is_sent_together(record: Record) -> None:
    """Also the same key with another body."""
    ask = record.asker.ask
    mine = entry("POST", "Patient", resource=patient())
    for headers in (FHIR_JSON, {**FHIR_JSON, "Prefer": "respond-async"}):
        ask("transaction", content=bundle("transaction", mine), headers=headers)
    stale = {**patient(), "id": record.patient_id}
    for refused in (
        entry("GET", "Patient/nothing"),
        entry("PUT", "Patient/nothing", resource={**patient("11"), "id": "nothing"}),
        entry("PUT", f"Patient/{record.patient_id}", resource=stale, request={"ifMatch": 'W/"99"'}),
    ):
        ask("transaction", content=bundle("transaction", refused), headers=FHIR_JSON)
    ask("transaction", content=bundle("collection", mine), headers=FHIR_JSON)
    ask("correlate_patient", at=record.at, content=_FROM_AN_EHR, headers=FHIR_JSON)
    several = entry("POST", "Patient", resource=patient("12"), request={"ifNoneExist": "gender=female"})
    ask("correlate", content=bundle("collection", several), headers=FHIR_JSON)
    for name, bodies in {
        "transaction": (bundle("batch", mine), bundle("batch", mine, mine)),
        "correlate": (somebody("13"), somebody("14")),
        "create": (json.dumps(patient("15")), json.dumps(patient("16"))),
    }.items():
        for body in bodies:
            ask(name, at=record.at, content=body, headers={**FHIR_JSON, "Idempotency-Key": name})
    for resource_id in ("one", "another"):
        at = {"resource_type": "Device", "resource_id": resource_id}
        ask("delete", at=at, headers={"Idempotency-Key": "delete"})


def what_runs_and_ends(record: Record) -> None:
    ask = record.asker.ask
    good = {"files": record.kick_off(case("V02"), files=True), "redirect": "", "bundle": ""}
    good["redirect"] = record.kick_off(case("V03"), prefer="respond-async, async-result=redirect")
    good["bundle"] = record.kick_off(somebody("20"))
    bad = record.kick_off(somebody("21"), files=True, **{"Idempotency-Key": "bad"})
    cancelled = record.kick_off(somebody("22"))
    for status_id in (*good.values(), bad):
        ask("read_status", at={"status_id": status_id})
    for _ in range(20):  # far too often
        ask("read_status", at={"status_id": bad})
    ask("cancel", at={"status_id": cancelled})
    ask("read_task", at={"task_id": cancelled})
    for status_id in good.values():
        record.door.run(status_id)
        ask("read_status", at={"status_id": status_id})
    record.fail(bad)
    ask("read_status", at={"status_id": bad})
    ask("read_result", at={"status_id": good["redirect"]})
    ask("read_result", at={"status_id": bad})
    ask("read_file", at={"status_id": good["files"], "name": "DiagnosticReport.ndjson"})
    ask("correlate", content=case("V02"), headers=FHIR_JSON)
    ask("correlate", content=somebody("21"), headers={**FHIR_JSON, "Idempotency-Key": "bad"})
    for task_id in (good["bundle"], cancelled):
        ask("retry", at={"task_id": task_id})


def what_a_patient_s_job_comes_to(record: Record) -> None:
    ask = record.asker.ask
    for how, end in (("good", record.door.run), ("bad", record.fail)):
        patient_id = record.create(patient(f"of-{how}"))
        headers = {**FHIR_JSON, "Idempotency-Key": f"patient-{how}"}
        accepted = ask("correlate_patient", at={"patient_id": patient_id}, headers=headers)
        end(accepted.headers["Content-Location"].rpartition("/")[2])
        ask("correlate_patient", at={"patient_id": patient_id}, headers=headers)


def what_is_no_longer_kept(record: Record) -> None:
    """With a door that keeps a result for a second."""
    status_id = record.kick_off(somebody("30"))
    record.door.run(status_id)
    time.sleep(1.1)
    for name in ("read_status", "read_result", "read_file", "cancel"):
        record.asker.ask(name, at={"status_id": status_id})


def what_is_said_without_a_database(record: Record) -> None:
    """With a door whose database has gone."""
    for name, row in OPERATIONS.items():
        if 503 in row.refuses or 503 in row.gives:
            record.asker.ask(name, at=record.at, content=_BODIES.get(name, b""), headers=FHIR_JSON)


def what_is_said_without_a_token(asker: Asker) -> None:
    """With a door that asks for one."""
    for name, row in OPERATIONS.items():
        if 401 in row.refuses:
            asker.ask(name, at=_SOMEWHERE, content=b"{", headers=FHIR_JSON)


def what_is_said_to_who_asks_too_much(asker: Asker) -> None:
    """With a door that asks for a token, and lets nobody ask twice."""
    asker.ask("read_task")
    for name, row in OPERATIONS.items():
        if 429 in row.refuses:
            asker.ask(name, at=_SOMEWHERE, content=b"{", headers=FHIR_JSON)


def what_is_said_of_the_issuer(asker: Asker, server: TokenServer) -> None:
    """With a door that asks for a token: nothing while the issuer is away."""
    server.away = True
    asker.ask("read_smart_configuration")
    for name in ("validate_any", "validate_type"):  # no database is asked for these
        asker.ask(
            name, at=_SOMEWHERE, content=b"{}", headers={**FHIR_JSON, "Authorization": f"Bearer {server.token()}"}
        )


_BODIES = {
    "correlate": somebody("40"),
    "transaction": bundle("transaction", entry("POST", "Patient", resource=patient("40"))),
    "create": json.dumps(patient()),
    "update": json.dumps({**patient(), "id": "nothing"}),
}
