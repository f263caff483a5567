"""Clients nobody here wrote get a token for one patient from a server nobody here wrote, and see that patient alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.records import published_case_of
from tests.servers import npm, processes
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.servers.oidc_provider import REDIRECT_URI, OidcServer, app_client, backend_client
from tests.servers.service import Service, smart_access
from tests.servers.token_server import new_key

FOLDER = Path(__file__).parent
DOCS = FOLDER.parents[1] / "docs" / "clients"
OWN_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
TYPES = ("Patient", "Procedure", "ImagingStudy", "Observation", "DiagnosticReport")
APP_SCOPE = "launch/patient patient/*.rs"
DEADLINE_SECONDS = 120
LOGIN = "dr-a"
KEY = new_key()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient of the service and their report."""

    patient: str
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """The service, its authorization server, the page of an app, and two patients, one of whom is chosen."""

    base_url: str
    oidc: OidcServer
    app: str
    chosen: Person
    foreign: tuple[str, ...]
    every: frozenset[str]
    """All that there is of the chosen patient, of the types that are looked for."""


def page(request: Received) -> Reply:
    """The app of docs/clients, and npm's fhirclient as it is built for browsers."""
    if request.path.startswith("/fhir-client.js"):
        script = FOLDER / "node_modules/fhirclient/build/fhir-client.pure.min.js"
        return reply(script.read_bytes(), Content_Type="text/javascript")
    if request.path.startswith("/app.html"):
        return reply((DOCS / "app.html").read_bytes(), Content_Type="text/html")
    return reply(b"", status=404)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    npm.install(FOLDER)
    folder = tmp_path_factory.mktemp("clinic")
    port = processes.free_port()
    base_url = f"http://127.0.0.1:{port}/fhir"
    with ExitStack() as closing:
        site = closing.enter_context(Loopback(page))
        clients = [
            backend_client("loader", KEY, scope="system/*.cruds"),
            app_client("viewer", scope=APP_SCOPE, redirect_uri=f"{site.base_url}/app.html"),
            app_client("script", scope=APP_SCOPE),
        ]
        oidc = closing.enter_context(OidcServer(clients, audience=base_url, scope=f"system/*.cruds {APP_SCOPE}"))
        settings = smart_access(oidc.issuer, audience=base_url) | {"FILLERTRACE_API_CORS_ORIGINS": site.base_url}
        arguments = ("serve", "--port", str(port), "--data", str(folder / "data"))
        closing.enter_context(Service(*arguments, folder=folder, settings=settings))
        access = {"Authorization": f"Bearer {oidc.backend_token('loader', KEY, scope='system/*.cruds')}"}
        with httpx.Client(base_url=base_url, headers=access, timeout=60) as loader:
            chosen, other = (admitted(loader, name) for name in ("chosen", "other"))
            every = frozenset(name for type_ in TYPES for name in names(loader, type_, chosen.patient))
        oidc.choose(LOGIN, patient=chosen.patient)
        yield Clinic(
            base_url=base_url,
            oidc=oidc,
            app=f"{site.base_url}/app.html",
            chosen=chosen,
            foreign=(f"Patient/{other.patient}", f"DiagnosticReport/{other.report}"),
            every=every,
        )


def admitted(loader: httpx.Client, name: str) -> Person:
    """Bring the published case as the record of a person."""
    headers = {"Content-Type": "application/fhir+json", "Prefer": "wait=60"}
    answer = loader.post("/$correlate", content=published_case_of(name), headers=headers)
    assert answer.status_code == 200, answer.text
    report = answer.json()["entry"][0]["resource"]
    return Person(patient=report["subject"]["reference"].partition("/")[2], report=report["id"])


def names(loader: httpx.Client, type_: str, patient: str) -> Iterator[str]:
    about = {"_id": patient} if type_ == "Patient" else {"patient": patient}
    found = loader.get(f"/{type_}", params={**about, "_count": "500"}).json()
    assert not [link for link in found["link"] if link["relation"] == "next"]
    yield from (f"{type_}/{entry['resource']['id']}" for entry in found["entry"])


def assert_sees_the_chosen_patient_alone(said: dict[str, Any], clinic: Clinic) -> None:
    assert (said["patient"], said["report"]) == (clinic.chosen.patient, clinic.chosen.report)
    assert sorted(said["seen"]) == sorted(clinic.every)
    assert len(clinic.every) > 20
    assert said["foreign"] == [[404, "not-found"]] * 2
    assert said["writing"] == [403, "forbidden"]
    assert said["stranger"] == [401, "login"]


@pytest.mark.requirement("SM-01", "SM-04", "SM-06")
@pytest.mark.timeout(900)  # the first time, npm brings what it needs
def test_a_page_is_launched_by_itself_in_a_browser(clinic: Clinic, chromium: str) -> None:
    """npm's fhirclient: discovery, PKCE, the person's login, and everything after it across origins."""
    program = [npm.node(), str(FOLDER / "launch_in_chromium.mjs")]
    said = run(*program, chromium, clinic.app, clinic.base_url, LOGIN, OWN_CODE, *clinic.foreign)
    assert_sees_the_chosen_patient_alone(said, clinic)
    assert said["asked"][0] == f"{clinic.base_url}/.well-known/smart-configuration"
    assert f"{clinic.base_url}/metadata" not in said["asked"]
    assert "likely explained by the recorded Radiesse injections" in said["conclusion"]
    assert said["challenge"].startswith('Bearer realm="fillertrace", error="invalid_token"')


@pytest.mark.requirement("SM-01", "SM-04", "SM-06")
def test_a_script_is_launched_by_itself(clinic: Clinic) -> None:
    """PyPI's fhirclient: it learns from the CapabilityStatement where people log in."""
    command = [sys.executable, str(FOLDER / "launch_with_fhirclient.py"), clinic.base_url, REDIRECT_URI, OWN_CODE]
    process = subprocess.Popen(
        [*command, *clinic.foreign], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith(f"{clinic.oidc.issuer}/auth?")
    printed, failure = process.communicate(clinic.oidc.log_in(address, login=LOGIN), timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, failure
    assert_sees_the_chosen_patient_alone(json.loads(printed), clinic)


@pytest.mark.requirement("SM-04", "SM-06")
def test_a_script_uses_a_token_that_was_got_for_it(clinic: Clinic) -> None:
    token = clinic.oidc.app_token("script", login=LOGIN, scope="patient/*.rs")
    program = [sys.executable, str(FOLDER / "look_with_fhirpy.py")]
    said = run(*program, clinic.base_url, token, clinic.chosen.patient, OWN_CODE, *clinic.foreign)
    assert_sees_the_chosen_patient_alone(said, clinic)


@pytest.mark.parametrize("number", range(4))
def test_the_examples_of_the_page_run(clinic: Clinic, number: int) -> None:
    blocks = re.findall(r"```(python|js)\n(.*?)```", (DOCS / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 4
    language, block = blocks[number]
    values = {
        "token": clinic.oidc.app_token("script", login=LOGIN, scope="patient/*.rs"),
        "patient": clinic.chosen.patient,
        "ours": OWN_CODE,
    }
    given = "".join(f"{'const ' if language == 'js' else ''}{name} = {json.dumps(values[name])}\n" for name in values)
    program = given + block.replace("http://127.0.0.1:8080/fhir", clinic.base_url)
    command = [npm.node(), "--input-type=module", "-e"] if language == "js" else [sys.executable, "-c"]
    assert printed_by(*command, program).startswith(f"{clinic.chosen.report} The deposits described on CT")


def run(*command: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(printed_by(*command))
    return said


def printed_by(*command: str) -> str:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
