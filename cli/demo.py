"""`fillertrace demo`: solve the published case the way any client would: HTTP, Redis, a worker process.

Starts `fillertrace serve` on a free port, submits the case, waits for the report, prints the worksheet and writes
demo-output/report.json and demo-output/report.html. There is no other path: without Redis it fails.
"""

from __future__ import annotations

import argparse
import base64
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from cli.exit_codes import DONE, FAILED
from cli.processes import dying_with_us
from cli.verb import Verb

REPORT_SECONDS = 120
STOP_SECONDS = 20
OUTPUT = Path("demo-output")
EXPECTED = "attribution: explained  top: filler_caha"
_RESULT = "https://fillertrace.example/fhir/CodeSystem/result"
_CAUSE = "https://fillertrace.example/fhir/CodeSystem/cause"
_ATTRIBUTION = "https://fillertrace.example/fhir/CodeSystem/attribution"


class DemoFailed(Exception):
    """The demo cannot go on; says why in a sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("--data", metavar="DIR", type=Path, help="keep the record here (default: a temporary folder)")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the whole demo; 0 only when the published case came out as published."""
    try:
        with tempfile.TemporaryDirectory(prefix="fillertrace-demo-") as temporary:
            data = arguments.data or Path(temporary)
            with _service(data, environment) as base:
                result = _solve(base)
    except DemoFailed as reason:
        print(f"fillertrace demo: {reason}", file=sys.stderr)
        return FAILED
    return _show(result)


@contextmanager
def _service(data: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """A `fillertrace serve` of our own on a free port; gives its FHIR base."""
    # The demo shows what is in the box: settings that would lead it elsewhere are not handed on, the Redis one aside.
    settings = {name: value for name, value in environment.items() if not name.startswith("FILLERTRACE_")}
    if redis_url := environment.get("FILLERTRACE_REDIS_URL"):
        settings["FILLERTRACE_REDIS_URL"] = redis_url
    log = data / "serve.log"
    data.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli.main", "serve", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=settings,
            preexec_fn=dying_with_us(signal.SIGTERM),
        )
    try:
        yield _ready_base(process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready_base(process: subprocess.Popen[str], log: Path) -> str:
    # `serve` itself gives up after its own deadline, so a plain read ends either way.
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready "):
            return line.split()[1]
    process.wait(STOP_SECONDS)
    said = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("fillertrace")]
    raise DemoFailed(said[-1].partition(": ")[2] if said else "the service did not start.")


def _solve(base: str) -> dict[str, Any]:
    """Submit the published case as any client would, and wait for its result Bundle."""
    import httpx

    body = files("cli.examples").joinpath("published-case.json").read_bytes()
    with httpx.Client(timeout=30, headers={"Accept": "application/fhir+json"}) as client, _Progress() as progress:
        progress.say("submitting the published case")
        try:
            _check_ready(client, base)
            answer = client.post(
                f"{base}/$correlate",
                content=body,
                headers={"Content-Type": "application/fhir+json", "Prefer": "respond-async"},
            )
            _expect(answer, 202)
            return _poll(client, answer.headers["Content-Location"], progress)
        except httpx.HTTPError as fault:
            raise DemoFailed(f"the service went away ({type(fault).__name__}).") from None


def _check_ready(client: Any, base: str) -> None:
    """A service whose queue is away takes what is sent and makes no report; the demo says so at once."""
    checks = client.get(f"{base.removesuffix('/fhir')}/health/ready").json()["checks"]
    away = [{"redis": "Redis", "database": "the database"}[part] for part, says in checks.items() if says != "ok"]
    if away:
        raise DemoFailed(f"{' and '.join(away)} cannot be reached; there is no other path.")


def _poll(client: Any, url: str, progress: _Progress) -> dict[str, Any]:
    from fhir_mappings.resource_json import loads  # keeps every digit of the report

    started = time.monotonic()
    while time.monotonic() - started < REPORT_SECONDS:
        answer = client.get(url)
        if answer.status_code == 200:
            first = loads(answer.content)["entry"][0]
            if not first["response"]["status"].startswith("200"):
                raise DemoFailed(f"the job failed: {_diagnostics(first['response'].get('outcome', {}))}")
            bundle: dict[str, Any] = first["resource"]
            return bundle
        _expect(answer, 202)
        progress.say(answer.headers.get("X-Progress", "waiting"))
        time.sleep(0.2)
    raise DemoFailed(f"no report within {REPORT_SECONDS} seconds; is a worker running?")


def _expect(answer: Any, status: int) -> None:
    if answer.status_code != status:
        try:
            reason = _diagnostics(answer.json())
        except ValueError:
            reason = "no reason given"
        raise DemoFailed(f"the service answered {answer.status_code}: {reason}")


def _diagnostics(outcome: dict[str, Any]) -> str:
    said = (issue.get("details", {}).get("text", "") for issue in outcome.get("issue", ()))
    return " ".join(filter(None, said)) or "no reason given"


def _show(bundle: dict[str, Any]) -> int:
    """Print the worksheet, keep the report, and say in one fixed line what came out."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    report = resources[0]
    if report["resourceType"] != "DiagnosticReport":
        print("fillertrace demo: there is no report in the answer.", file=sys.stderr)
        return FAILED
    forms = {form["contentType"].partition(";")[0]: base64.b64decode(form["data"]) for form in report["presentedForm"]}
    OUTPUT.mkdir(exist_ok=True)
    from fhir_mappings.resource_json import dumps

    (OUTPUT / "report.json").write_bytes(dumps(bundle) + b"\n")
    (OUTPUT / "report.html").write_bytes(forms["text/html"])
    line = f"attribution: {_attribution(resources)}  top: {_top_cause(resources)}"
    print(forms["text/plain"].decode().rstrip())
    print()
    print(f"report (FHIR JSON)  {(OUTPUT / 'report.json').resolve()}")
    print(f"report (HTML)       {(OUTPUT / 'report.html').resolve()}")
    print(line, flush=True)
    return DONE if line == EXPECTED else FAILED


def _attribution(resources: list[dict[str, Any]]) -> str:
    for resource in resources:
        if "filler-attribution" in _codes(resource.get("code", {}), _RESULT):
            return next(iter(_codes(resource["valueCodeableConcept"], _ATTRIBUTION)), "none")
    return "none"


def _top_cause(resources: list[dict[str, Any]]) -> str:
    causes = [_codes(resource["code"], _CAUSE) for resource in resources if resource["resourceType"] == "Observation"]
    return next((codes[0] for codes in causes if codes), "none")


def _codes(concept: dict[str, Any], system: str) -> list[str]:
    return [coding["code"] for coding in concept.get("coding", ()) if coding.get("system") == system]


class _Progress:
    """One calm line that changes in place on a terminal; elsewhere each new state is a line of its own."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("starting") if self._console.is_terminal else None
        self._said = ""

    def __enter__(self) -> _Progress:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def say(self, state: str) -> None:
        """Show a state, once."""
        if state == self._said:
            return
        self._said = state
        if self._status:
            self._status.update(state)
        else:
            self._console.print(f"… {state}", markup=False)


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace demo",
)
