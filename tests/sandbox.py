"""A whole neighbourhood on this machine: a real HAPI FHIR server, and Fillertrace at home beside it.

`make sandbox` starts both, loads the public cases into HAPI as any client would, and waits for the reports to come back
there by themselves: subscribed, fetched, correlated, written back. Then it pulls a patient by command, hands over what
`$everything` gives, signs a report, and prints what worked. `make sandbox KEEP=1` leaves both running, on the ports
8090 and 8080 where they are free; `CASES="V01 V09"` loads only those.
"""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.examples import CASE_IDS, as_transaction, case_bundle, case_expected
from tests.servers import ServerUnavailable, processes
from tests.servers.hapi import HapiServer
from tests.servers.service import COMMAND, Service

FHIR_JSON = {"Content-Type": "application/fhir+json"}
OUR_REPORTS = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
REPORT_SYSTEM = "https://fillertrace.example/fhir/report"
_ATTRIBUTION = "https://fillertrace.example/fhir/CodeSystem/attribution"
DEADLINE_SECONDS = 180.0
NAME = "hapi"
HAPI_PORT, OUR_PORT = 8090, 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The two servers: their FHIR bases, and the log of ours."""

    hapi: str
    fillertrace: str
    log: Path

    def report_in_hapi(self, patient: str) -> dict[str, Any] | None:
        """Our report of a patient as HAPI holds it; None where it does not. Raises AssertionError for two."""
        found = _get(f"{self.hapi}/DiagnosticReport", patient=patient, code=OUR_REPORTS).get("entry", [])
        assert len(found) < 2, f"{len(found)} reports of ours for one patient"
        report: dict[str, Any] | None = found[0]["resource"] if found else None
        return report

    def attribution_in_hapi(self, report: Mapping[str, Any]) -> str:
        """What a report in HAPI says: the value of its first result."""
        first = _get(f"{self.hapi}/{report['result'][0]['reference']}")
        codings = first["valueCodeableConcept"]["coding"]
        return str(next(one["code"] for one in codings if one["system"] == _ATTRIBUTION))


@contextmanager
def at_home(
    hapi: str, folder: Path, *, settings: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[Sandbox]:
    """A Fillertrace that fetches from a HAPI server, writes back to it, is told by it what is new, and asks besides."""
    port = port or processes.free_port()
    chosen = {
        "FILLERTRACE_EHR_SERVERS": f"{NAME}={hapi}",
        "FILLERTRACE_EHR_ALLOW": "127.0.0.1",
        "FILLERTRACE_EHR_WRITE_BACK": NAME,
        "FILLERTRACE_EHR_SUBSCRIBE": NAME,
        "FILLERTRACE_EHR_NOTIFY_URL": f"http://127.0.0.1:{port}",
        "FILLERTRACE_EHR_NOTIFY_SECRET": secrets.token_urlsafe(24),
        **(settings or {}),
    }
    arguments = ("--port", str(port), "--data", str(folder / "data"))
    with Service("serve", *arguments, folder=folder, settings=chosen) as service:
        sandbox = Sandbox(hapi=hapi, fillertrace=service.base_url, log=service.log)
        listens = waited_for(lambda: True if '"event": "heard"' in service.log.read_text() else None, seconds=60)
        assert listens, "it does not listen"
        yield sandbox


def load(sandbox: Sandbox, record: dict[str, Any]) -> str:
    """Load a record into HAPI as one transaction of creates; the patient's id there."""
    answer = httpx.post(sandbox.hapi, json=as_transaction(record), headers=FHIR_JSON, timeout=60)
    assert answer.status_code == 200, answer.text
    locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
    return next(location.split("/")[1] for location in locations if location.startswith("Patient/"))


def waited_for(found: Callable[[], Any], *, seconds: float = DEADLINE_SECONDS) -> Any:
    """What `found` gives as soon as it gives something; None after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (value := found()) is not None:
            return value
        time.sleep(0.5)
    return None


def sign(sandbox: Sandbox, report_id: str) -> bool:
    """Sign a report here, as a person does, and see it signed in HAPI."""
    address = f"{sandbox.fillertrace}/DiagnosticReport/{report_id}"
    here = httpx.get(address)
    signed = {**here.json(), "status": "final", "resultsInterpreter": [{"display": "Dr Sandbox"}]}
    answer = httpx.put(address, json=signed, headers={**FHIR_JSON, "If-Match": here.headers["ETag"]})
    assert answer.status_code == 200, answer.text

    def final() -> bool | None:
        there = _get(f"{sandbox.hapi}/DiagnosticReport/{report_id}")
        return True if there["status"] == "final" else None

    return bool(waited_for(final, seconds=30))


def pull(sandbox: Sandbox, patient: str) -> str:
    """Pull a patient by command; what it says last."""
    command = [str(COMMAND), "pull", "--from", sandbox.hapi, "--patient", patient, "--write-back"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.strip().splitlines()[-1].partition(": ")[2]


def everything(sandbox: Sandbox, patient: str) -> str:
    """Hand what `$everything` gives to `$correlate`; the status of the answer."""
    record = _get(f"{sandbox.hapi}/Patient/{patient}/$everything", _count="200")
    answer = httpx.post(f"{sandbox.fillertrace}/$correlate", json=record, headers=FHIR_JSON, timeout=60)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["entry"][0]["resource"]["id"])


def main() -> int:
    """Run it all; 0 where all of it worked."""
    parser = argparse.ArgumentParser(prog="make sandbox", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave both servers running until Ctrl-C")
    parser.add_argument("--cases", nargs="+", choices=CASE_IDS, default=CASE_IDS, metavar="CASE", help="all by default")
    arguments = parser.parse_args()
    console = Console()
    hapi_port, our_port = (_free(HAPI_PORT), _free(OUR_PORT)) if arguments.keep else (0, None)
    try:
        console.print("starting HAPI FHIR and Fillertrace (the first time, Maven brings 340 MB)")
        hapi = HapiServer()
        hapi.start(port=hapi_port)
        with hapi, tempfile.TemporaryDirectory() as folder, at_home(hapi.base_url, Path(folder), port=our_port) as both:
            console.print(f"HAPI:        {both.hapi}\nFillertrace: {both.fillertrace}")
            worked = _show(both, arguments.cases, console)
            if arguments.keep:
                _wait(console)
    except ServerUnavailable as missing:
        console.print(f"sandbox: {missing}", style="red")
        return 1
    return 0 if worked else 1


def _show(sandbox: Sandbox, case_ids: Sequence[str], console: Console) -> bool:
    patients, attributions = _reports_come_back(sandbox, case_ids, console)
    table = Table("case", "Patient in HAPI", "attribution", "expected", "")
    wrong = 0
    for case_id in case_ids:
        acceptable = case_expected(case_id)["acceptable_attribution"]
        right = attributions.get(case_id) in acceptable
        wrong += not right
        said = attributions.get(case_id, "no report")
        table.add_row(case_id, patients[case_id], said, " or ".join(acceptable), "ok" if right else "DIFFERS")
    console.print(table)
    if wrong:
        return False
    patient = patients[case_ids[0]]
    report = sandbox.report_in_hapi(patient)
    assert report is not None
    same = everything(sandbox, patient) == report["id"]
    pulled = pull(sandbox, patient)
    signed = sign(sandbox, report["id"])
    steps = Table("step", "what came of it")
    steps.add_row("load", f"{len(patients)} public cases, each a transaction of creates")
    steps.add_row("hear, fetch, correlate, write back", f"{len(attributions)} reports came back by themselves")
    steps.add_row("$everything to $correlate", "the same report" if same else "FAILED")
    steps.add_row("pull --write-back", pulled)
    steps.add_row("sign off", "final in HAPI" if signed else "FAILED")
    console.print(steps)
    return same and signed


def _reports_come_back(
    sandbox: Sandbox, case_ids: Sequence[str], console: Console
) -> tuple[dict[str, str], dict[str, str]]:
    """The ids of the patients in HAPI, and what the reports on them say that came back there, both by case."""
    patients: dict[str, str] = {}
    attributions: dict[str, str] = {}
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("cases into HAPI", total=len(case_ids))
        for case_id in case_ids:
            patients[case_id] = load(sandbox, case_bundle(case_id))
            progress.advance(bar)
        bar = progress.add_task("reports back in HAPI", total=len(case_ids))
        for case_id, patient in patients.items():
            report = waited_for(partial(sandbox.report_in_hapi, patient))
            if report is not None:
                attributions[case_id] = sandbox.attribution_in_hapi(report)
            progress.advance(bar)
    return patients, attributions


def _wait(console: Console) -> None:
    console.print("both are left running; Ctrl-C ends them and forgets everything")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("ended")


def _free(wanted: int) -> int:
    """This port where it is free, else another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return processes.free_port()
    return wanted


def _get(url: str, **parameters: str) -> dict[str, Any]:
    headers = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
    answer = httpx.get(url, params=parameters, headers=headers, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = json.loads(answer.content)
    return found


if __name__ == "__main__":
    sys.exit(main())
