"""One job, three dialects: what the status address answers, to whom, and until when."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.polling_pace import PollingPace
from store import jobs
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import bearer, smart_settings
from tests.unit.api.service import FHIR_JSON, Door, case, running_door

NDJSON = "application/fhir+ndjson"
REDIRECT = "respond-async, async-result=redirect"
TRANSIENT = {"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"}
CASE = case("V01")
KICK_OFFS: dict[str, tuple[str, dict[str, str]]] = {
    "manifest": ("?_outputFormat=ndjson", {"Prefer": "respond-async"}),
    "bundle": ("", {"Prefer": "respond-async"}),
    "redirect": ("", {"Prefer": REDIRECT}),
}
DIALECTS = pytest.mark.parametrize("dialect", KICK_OFFS)


def kick_off(
    door: Door, dialect: str, *, path: str = "/$correlate", body: bytes = CASE, more: Mapping[str, str] | None = None
) -> str:
    """The status address."""
    query, prefer = KICK_OFFS[dialect]
    answer = door.client.post(f"{path}{query}", content=body, headers={**FHIR_JSON, **prefer, **(more or {})})
    assert answer.status_code == 202, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    address: str = answer.headers["Content-Location"]
    return address


def job_of(address: str) -> str:
    return address.rpartition("/")[2].partition(".")[0]


def transaction() -> bytes:
    identifier = [{"system": "https://a.example/mrn", "value": "7"}]
    patient = {"resourceType": "Patient", "identifier": identifier}
    entry = {"resource": patient, "request": {"method": "POST", "url": "Patient"}}
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()


def fail(door: Door, address: str) -> None:
    """Let the job of an address fail for good, as a worker notes it."""
    claimed = jobs.claim(door.database, job_of(address), worker="tests", now=datetime.now(UTC), lease_seconds=60)
    assert claimed is not None
    jobs.fail(
        door.database,
        claimed,
        error_type="ValueError",
        now=datetime.now(UTC),
        retry_delays_seconds=(1,),
        again=False,
    )


def detail(answer: httpx.Response) -> str:
    issue: dict[str, Any] = answer.json()["issue"][0]
    assert issue["details"]["text"]
    code: str = issue["details"]["coding"][0]["code"]
    return code


def task_status(door: Door, address: str) -> str:
    status: str = door.client.get(f"/Task/{job_of(address)}").json()["status"]
    return status


@pytest.mark.requirement("ASY-01", "ASY-10")
@DIALECTS
@pytest.mark.parametrize("path", ["/$correlate", "", "/Patient/{id}/$correlate"])
def test_a_kick_off_is_accepted_with_an_address(door: Door, dialect: str, path: str) -> None:
    body = CASE if path == "/$correlate" else b""
    if path == "":
        body = transaction()
    if "{id}" in path:
        known = door.client.get(f"/Task/{job_of(kick_off(door, 'bundle'))}").json()["for"]["reference"]
        path = path.replace("Patient/{id}", known)
    query, prefer = KICK_OFFS[dialect]
    answer = door.client.post(f"{path}{query}", content=body, headers={**FHIR_JSON, **prefer})
    assert answer.status_code == 202
    assert answer.headers["Content-Location"].startswith(f"{door.base}/async-status/")
    assert answer.headers["Preference-Applied"] == prefer["Prefer"]
    assert answer.headers["Link"].endswith('>; rel="status"')
    assert int(answer.headers["Retry-After"]) > 0
    refused = door.client.post(f"{path}{query}", content=b"{", headers={**FHIR_JSON, **prefer})
    assert refused.status_code == 400
    assert detail(refused) == "not-json"


@pytest.mark.requirement("ASY-02")
@pytest.mark.parametrize(
    "spelling", ["application/fhir%2Bndjson", "application/fhir+ndjson", "application/ndjson", "ndjson"]
)
def test_every_spelling_of_ndjson_asks_for_a_manifest(door: Door, spelling: str) -> None:
    accepted = door.client.post(f"/$correlate?_outputFormat={spelling}", content=CASE, headers=FHIR_JSON)
    assert accepted.status_code == 202  # there are no files to answer with at once
    address = accepted.headers["Content-Location"]
    door.run(job_of(address))
    done = door.client.get(address)
    assert done.headers["Content-Type"] == "application/json"
    assert done.json()["request"].endswith(f"_outputFormat={spelling}")


@pytest.mark.requirement("ASY-02")
@pytest.mark.parametrize("spelling", ["", "text/csv", "application/fhir+json", "parquet"])
@pytest.mark.parametrize("path", ["/$correlate", ""])
def test_another_output_format_is_refused(door: Door, path: str, spelling: str) -> None:
    body = transaction() if path == "" else CASE
    refused = door.client.post(f"{path}?_outputFormat={spelling}", content=body, headers=FHIR_JSON)
    assert (refused.status_code, detail(refused)) == (400, "unknown-output-format")


@pytest.mark.requirement("ASY-03")
@DIALECTS
def test_a_running_job_is_told_in_words(door: Door, dialect: str) -> None:
    address = kick_off(door, dialect)
    running = door.client.get(address)
    assert running.status_code == 202
    assert 0 < len(running.headers["X-Progress"]) < 100
    assert int(running.headers["Retry-After"]) > 0
    assert not running.content
    assert task_status(door, address) == "received"


@pytest.mark.requirement("ASY-03")
def test_progress_of_many_patients_stays_short(door: Door) -> None:
    entries = [
        {
            "resource": {"resourceType": "Patient", "identifier": [{"system": "https://a.example", "value": str(one)}]},
            "request": {"method": "POST", "url": "Patient"},
        }
        for one in range(3)
    ]
    body = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode()
    accepted = door.client.post("", content=body, headers={**FHIR_JSON, "Prefer": "respond-async"})
    door.run(accepted.headers["Link"].split("/Task/")[1].split(">")[0])
    running = door.client.get(accepted.headers["Content-Location"])
    assert running.status_code == 202
    assert running.headers["X-Progress"] == "1 of 3 patients are done; the next is waiting for a worker"


@pytest.mark.requirement("ASY-03", "ASY-08")
def test_polling_far_too_fast_is_said_and_harms_nothing(tmp_path: Path, redis_server: RedisServer) -> None:
    with running_door(tmp_path, redis_server.url, polls_per_second=1) as door:
        address = kick_off(door, "bundle")
        answers = [door.client.get(address) for _ in range(40)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {answer.status_code for answer in answers} == {202, 429}
        assert detail(refused[0]) == "polled-too-fast"
        assert refused[0].json()["issue"][0]["code"] in TRANSIENT
        assert int(refused[0].headers["Retry-After"]) > 0
        assert door.client.get(kick_off(door, "bundle", body=case("V02"))).status_code == 202  # each job by itself
        door.run(job_of(address))
        assert door.client.get(address).status_code == 200


@pytest.mark.requirement("ASY-03")
def test_who_waits_as_told_is_never_too_fast() -> None:
    pace = PollingPace(20)
    assert all(pace.allows("job", now=float(second)) for second in range(10_000))
    assert all(pace.allows("hasty", now=tick / 20) for tick in range(10_000))
    tight_loop = [pace.allows("loop", now=tick / 1000) for tick in range(10_000)]
    assert all(tight_loop[:200])
    assert not all(tight_loop)


def test_the_pace_remembers_only_so_many_jobs() -> None:
    pace = PollingPace(1, remembered=2)
    assert [pace.allows("a", now=0.0) for _ in range(11)] == [True] * 10 + [False]
    assert pace.allows("b", now=0.0)
    assert pace.allows("c", now=0.0)
    assert pace.allows("a", now=0.0)  # forgotten meanwhile: the bound is on memory first


@pytest.mark.requirement("ASY-04")
def test_a_manifest_names_files_of_one_type_each(door: Door) -> None:
    address = kick_off(door, "manifest")
    door.run(job_of(address))
    done = door.client.get(address)
    assert (done.status_code, done.headers["Content-Type"]) == (200, "application/json")
    assert parsedate_to_datetime(done.headers["Expires"]) > datetime.now(UTC)
    said = done.json()
    assert list(said) == ["transactionTime", "request", "requiresAccessToken", "output", "error"]
    assert datetime.fromisoformat(said["transactionTime"]) <= datetime.now(UTC)
    assert said["request"] == f"{door.base}/$correlate?_outputFormat=ndjson"
    assert said["requiresAccessToken"] is False
    assert said["output"][0]["type"] == "DiagnosticReport"
    files = {file["type"]: httpx.get(file["url"], headers={"Accept": NDJSON}) for file in said["output"]}
    assert len(files) == len(said["output"])
    for file in said["output"]:
        answer = files[file["type"]]
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, NDJSON)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert len(lines) == file["count"]
        assert {line["resourceType"] for line in lines} == {file["type"]}
    report = json.loads(files["DiagnosticReport"].text)
    assert door.client.get(f"/DiagnosticReport/{report['id']}").json() == report
    assert httpx.get(f"{address}/files/Spaceship.ndjson").status_code == 404
    assert httpx.get(f"{address}/files/DiagnosticReport").status_code == 404


@pytest.mark.requirement("ASY-04")
def test_what_was_left_out_is_in_the_manifest_s_error(door: Door) -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "https://a.example", "value": "1"}]}
    entries = [{"resource": patient}, {"resource": {"resourceType": "CarePlan", "subject": {"reference": "Patient/p"}}}]
    body = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    address = kick_off(door, "manifest", body=body)
    door.run(job_of(address))
    said = door.client.get(address).json()
    assert [file["type"] for file in said["output"]] == ["Patient"]
    (error,) = said["error"]
    assert error["type"] == "OperationOutcome"
    (outcome,) = (json.loads(line) for line in httpx.get(error["url"]).text.splitlines())
    assert {"no-imaging", "unknown-type"} <= {issue["details"]["coding"][0]["code"] for issue in outcome["issue"]}


@pytest.mark.requirement("ASY-04")
def test_a_failed_job_has_no_manifest_but_an_error(door: Door) -> None:
    address = kick_off(door, "manifest")
    fail(door, address)
    failed = door.client.get(address)
    assert (failed.status_code, detail(failed)) == (500, "job-failed")
    assert failed.json()["issue"][0]["code"] not in TRANSIENT  # asking again will not help
    assert task_status(door, address) == "failed"


@pytest.mark.requirement("ASY-05")
def test_a_batch_response_holds_the_answer_or_the_error(door: Door) -> None:
    good, bad = kick_off(door, "bundle"), kick_off(door, "bundle", body=case("V02"))
    door.run(job_of(good))
    fail(door, bad)
    done = door.client.get(good)
    assert (done.status_code, done.json()["type"]) == (200, "batch-response")
    (entry,) = done.json()["entry"]
    assert entry["response"]["status"] == "200 OK"
    report = entry["resource"]["entry"][0]["resource"]
    assert entry["response"]["location"] == f"{door.base}/DiagnosticReport/{report['id']}/_history/1"
    failed = door.client.get(bad)
    assert (failed.status_code, failed.json()["type"]) == (200, "batch-response")
    (entry,) = failed.json()["entry"]
    assert entry["response"]["status"].startswith("500")
    assert entry["response"]["outcome"]["issue"][0]["details"]["coding"][0]["code"] == "job-failed"
    assert "resource" not in entry
    assert (task_status(door, good), task_status(door, bad)) == ("completed", "failed")


@pytest.mark.requirement("ASY-06")
@pytest.mark.parametrize("goes", ["well", "wrong"])
def test_a_redirect_leads_to_exactly_the_direct_answer(door: Door, goes: str) -> None:
    address = kick_off(door, "redirect", more={"Idempotency-Key": "one"})
    result = f"{address}/result"
    assert door.client.get(result).status_code == 404  # not before it has ended
    end: Callable[[], None] = (lambda: door.run(job_of(address))) if goes == "well" else (lambda: fail(door, address))
    end()
    seen = door.client.get(address)
    assert (seen.status_code, seen.headers["Location"], seen.content) == (303, result, b"")
    led_to = door.client.get(result)
    direct = door.client.post("/$correlate", content=CASE, headers={**FHIR_JSON, "Idempotency-Key": "one"})
    assert led_to.status_code == direct.status_code == (200 if goes == "well" else 500)
    assert led_to.content == direct.content
    assert led_to.headers["Content-Type"] == direct.headers["Content-Type"]
    assert led_to.headers["Link"] == direct.headers["Link"]
    assert task_status(door, address) == ("completed" if goes == "well" else "failed")


@pytest.mark.requirement("ASY-04", "ASY-05", "ASY-06")
@DIALECTS
def test_a_transaction_is_answered_in_every_dialect(door: Door, dialect: str) -> None:
    headers = {**FHIR_JSON, "Idempotency-Key": "one", **KICK_OFFS[dialect][1]}
    accepted = door.client.post(KICK_OFFS[dialect][0], content=transaction(), headers=headers)
    address, task = accepted.headers["Content-Location"], accepted.headers["Link"].split("/Task/")[1].split(">")[0]
    assert door.client.get(address).status_code == 202
    door.run(task)
    direct = door.client.post("", content=transaction(), headers={**FHIR_JSON, "Idempotency-Key": "one"}).json()
    assert direct["type"] == "transaction-response"
    done = httpx.get(address, follow_redirects=True)
    if dialect == "manifest":
        (file,) = done.json()["output"]
        assert (file["type"], file["count"]) == ("Bundle", 1)
        assert httpx.get(file["url"]).json() == direct
    elif dialect == "bundle":
        assert done.json()["entry"][0]["resource"] == direct
    else:
        assert done.json() == direct


@pytest.mark.requirement("ASY-04", "ASY-05", "ASY-06")
def test_the_dialect_stays_with_the_job_and_a_repeat_may_ask_in_another(door: Door) -> None:
    first = kick_off(door, "redirect")
    assert kick_off(door, "redirect") == first
    others = {dialect: kick_off(door, dialect) for dialect in ("manifest", "bundle")}
    assert {job_of(address) for address in others.values()} == {job_of(first)}
    door.run(job_of(first))
    asked_otherwise = door.client.get(f"{first}?_outputFormat=ndjson", headers={"Prefer": "respond-async"})
    assert asked_otherwise.status_code == 303
    assert door.client.get(others["manifest"]).json()["output"]
    assert door.client.get(others["manifest"]).json()["request"].endswith("?_outputFormat=ndjson")
    assert door.client.get(others["bundle"]).json()["type"] == "batch-response"
    assert door.client.get(f"{first}.telegram").status_code == 404


@pytest.mark.requirement("ASY-07")
@DIALECTS
@pytest.mark.parametrize("when", ["waiting", "done"])
def test_after_a_delete_the_address_is_gone(door: Door, dialect: str, when: str) -> None:
    address = kick_off(door, dialect)
    if when == "done":
        door.run(job_of(address))
    cancelled = door.client.delete(address)
    assert (cancelled.status_code, detail(cancelled)) == (202, "cancelled")
    for path in ("", "/result", "/files/DiagnosticReport.ndjson"):
        gone = door.client.get(f"{address}{path}")
        assert (gone.status_code, detail(gone)) == (404, "job-cancelled")
    assert door.client.delete(address).status_code == 404
    assert task_status(door, address) == ("cancelled" if when == "waiting" else "completed")


@pytest.mark.requirement("ASY-07")
def test_a_result_that_was_let_go_can_be_asked_for_again(door: Door) -> None:
    address = kick_off(door, "bundle")
    door.run(job_of(address))
    assert door.client.delete(address).status_code == 202
    assert kick_off(door, "bundle") == address
    assert door.client.get(address).status_code == 200


@pytest.mark.requirement("ASY-08")
@DIALECTS
def test_a_poll_that_fails_for_a_moment_says_so(tmp_path: Path, redis_server: RedisServer, dialect: str) -> None:
    with running_door(tmp_path, redis_server.url, busy_timeout_seconds=0.2) as door:
        address = kick_off(door, dialect)
        door.run(job_of(address))
        with ExitStack() as held:
            for _ in range(10):  # every connection that the process may have
                held.enter_context(door.database.read())
            poll = door.client.get(address)
        assert poll.status_code == 503
        assert poll.json()["issue"][0]["code"] in TRANSIENT
        assert int(poll.headers["Retry-After"]) > 0
        assert httpx.get(address, follow_redirects=True).status_code == 200  # nothing was lost by it


@pytest.mark.requirement("ASY-10")
@pytest.mark.parametrize("goes", ["well", "wrong"])
def test_the_status_of_the_job_stands_beside_that_of_the_poll_where_it_is_asked_for(door: Door, goes: str) -> None:
    asked = {**FHIR_JSON, "Prefer": "respond-async, separate-export-status"}
    accepted = door.client.post("/$correlate?_outputFormat=ndjson", content=CASE, headers=asked)
    assert accepted.headers["Preference-Applied"] == "respond-async, separate-export-status"
    address = accepted.headers["Content-Location"]
    running = door.client.get(address)
    assert (running.status_code, running.headers["X-Export-Status"]) == (200, "202 Accepted")
    assert running.headers["X-Progress"]
    if goes == "well":
        door.run(job_of(address))
    else:
        fail(door, address)
    ended = door.client.get(address)
    wanted = "200 OK" if goes == "well" else "500 Internal Server Error"
    assert (ended.status_code, ended.headers["X-Export-Status"]) == (200, wanted)
    assert ("output" in ended.json()) is (goes == "well")


@pytest.mark.requirement("ASY-10")
@DIALECTS
def test_the_status_of_the_job_has_no_header_of_its_own_otherwise(door: Door, dialect: str) -> None:
    address = kick_off(door, dialect)
    assert "X-Export-Status" not in door.client.get(address).headers
    door.run(job_of(address))
    assert "X-Export-Status" not in door.client.get(address).headers


@pytest.fixture
def clients(server: TokenServer, smart_door: Door) -> Door:
    """A door whose client is one with a token."""
    smart_door.client.headers.update(as_client(server, "one"))
    return smart_door


def as_client(server: TokenServer, name: str, *, scope: str = "system/*.cruds") -> dict[str, str]:
    return bearer(server.token(client_id=name, scope=scope))


@pytest.mark.requirement("ASY-11", "ASY-12")
@DIALECTS
@pytest.mark.parametrize("path", ["", "/result", "/files/DiagnosticReport.ndjson"])
def test_another_client_cannot_tell_it_from_nothing(
    clients: Door, server: TokenServer, dialect: str, path: str
) -> None:
    door, another = clients, as_client(server, "two")
    address = kick_off(door, dialect)
    nothing = door.client.get(f"/async-status/00000000-0000-4000-8000-000000000000{path}")
    assert nothing.status_code == 404

    def seen_by_another(method: str) -> tuple[int, Any]:
        answer = door.client.request(method, f"{address}{path}", headers=another)
        return answer.status_code, answer.json()

    assert seen_by_another("GET") == (404, nothing.json())
    if not path:
        assert seen_by_another("DELETE") == (404, nothing.json())
    door.run(job_of(address))
    assert seen_by_another("GET") == (404, nothing.json())
    assert door.client.get(f"/Task/{job_of(address)}", headers=another).status_code == 404
    assert door.client.get(address, follow_redirects=True).status_code == 200
    assert door.client.delete(address).status_code == 202
    assert seen_by_another("GET") == (404, nothing.json())


@pytest.mark.requirement("ASY-11")
@DIALECTS
def test_a_result_needs_what_its_kick_off_needed(clients: Door, server: TokenServer, dialect: str) -> None:
    door, least = clients, as_client(server, "one", scope="system/*.c system/DiagnosticReport.r")
    other = as_client(server, "one", scope="system/DiagnosticReport.r")
    address = kick_off(door, dialect, more=least)
    door.run(job_of(address))
    results = ["/result", "/files/DiagnosticReport.ndjson", ""]
    for path in results:
        assert door.client.get(f"{address}{path}", headers=least).status_code in {200, 303}
        less = door.client.get(f"{address}{path}", headers=other)
        assert (less.status_code, detail(less)) == (403, "not-permitted")


@pytest.mark.requirement("ASY-12")
@DIALECTS
def test_an_expired_result_is_said_to_its_owner_alone(
    tmp_path: Path, redis_server: RedisServer, server: TokenServer, dialect: str
) -> None:
    another = as_client(server, "two")
    with running_door(tmp_path, redis_server.url, **smart_settings(server, result_seconds=1)) as door:
        door.client.headers.update(as_client(server, "one"))
        address = kick_off(door, dialect)
        door.run(job_of(address))
        done = door.client.get(address)
        assert done.status_code in {200, 303}
        assert parsedate_to_datetime(done.headers["Expires"]) < datetime.now(UTC) + timedelta(seconds=3)
        report = door.client.get(f"/Task/{job_of(address)}").json()["focus"]["reference"]
        time.sleep(1.1)
        for path in ("", "/result", "/files/DiagnosticReport.ndjson"):
            expired = door.client.get(f"{address}{path}")
            assert (expired.status_code, detail(expired)) == (410, "expired")
            assert door.client.get(f"{address}{path}", headers=another).status_code == 404
        assert door.client.get(f"/{report}").status_code == 200  # the report itself stays
        assert task_status(door, address) == "completed"
        assert kick_off(door, dialect) == address  # asking again keeps it again
        assert door.client.get(address, follow_redirects=True).status_code == 200


@pytest.mark.requirement("ASY-13")
@DIALECTS
def test_who_asks_to_be_answered_later_is(door: Door, dialect: str) -> None:
    address = kick_off(door, dialect)
    door.run(job_of(address))
    assert job_of(kick_off(door, dialect)) == job_of(address)  # also where the result is there already
    kick_off(door, dialect, path="", body=transaction())
    known = door.client.get(f"/Task/{job_of(address)}").json()["for"]["reference"]
    kick_off(door, dialect, path=f"/{known}/$correlate", body=b"")
    bundle = {"name": "bundle", "resource": json.loads(CASE)}
    keep_nothing = {"resourceType": "Parameters", "parameter": [bundle, {"name": "store", "valueBoolean": False}]}
    query, prefer = KICK_OFFS[dialect]
    refused = door.client.post(f"/$correlate{query}", content=json.dumps(keep_nothing), headers={**FHIR_JSON, **prefer})
    assert (refused.status_code, detail(refused)) == (400, "not-asynchronous")


@pytest.mark.requirement("ASY-13")
def test_who_asks_to_wait_a_while_is_answered_at_once_where_that_is_enough(door: Door) -> None:
    address = kick_off(door, "bundle")
    waited = {**FHIR_JSON, "Prefer": "respond-async, wait=1"}
    assert door.client.post("/$correlate", content=CASE, headers=waited).status_code == 202
    door.run(job_of(address))
    answer = door.client.post("/$correlate", content=CASE, headers=waited)
    assert (answer.status_code, answer.json()["type"]) == (200, "collection")


def test_a_record_of_the_first_release_is_answered_as_it_was(door: Door) -> None:
    """Options that an earlier version wrote know nothing of dialects."""
    address = kick_off(door, "bundle")
    door.run(job_of(address))
    with door.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE submissions SET options = ?", (b'{"respond_async":true,"issues":[],"refusals":[]}',)
        )
    assert door.client.get(address).json()["type"] == "batch-response"
