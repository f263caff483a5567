"""The standalone launch with PyPI's fhirclient: it prints where the person must go, and reads where they came to."""

import json
import sys
from collections.abc import Callable
from typing import Any

from fhirclient.client import FHIRClient
from fhirclient.models.diagnosticreport import DiagnosticReport
from fhirclient.models.imagingstudy import ImagingStudy
from fhirclient.models.observation import Observation
from fhirclient.models.operationoutcome import OperationOutcome
from fhirclient.models.patient import Patient
from fhirclient.models.procedure import Procedure
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException, FHIRUnauthorizedException


def main(base: str, redirect_uri: str, code: str, *foreign: str) -> dict[str, Any]:
    settings = {"app_id": "script", "api_base": base, "redirect_uri": redirect_uri, "scope": "patient/*.rs"}
    smart = FHIRClient(settings=settings)
    assert not smart.prepare()  # a token is needed
    print(smart.authorize_url, flush=True)
    smart.handle_callback(sys.stdin.readline().strip())
    server = smart.server

    search = DiagnosticReport.where({"patient": smart.patient_id, "code": code})
    report = DiagnosticReport.read(search.perform_resources(server)[0].id, server)
    seen = [
        f"{found.resource_type}/{found.id}"
        for type_ in (Patient, Procedure, ImagingStudy, Observation, DiagnosticReport)
        for found in type_.where({}).perform_resources_iter(server)
    ]
    observation = Observation({"status": "final", "code": {"text": "x"}})
    said = {
        "patient": smart.patient.id,
        "report": report.id,
        "seen": seen,
        "foreign": [refusal(lambda path=path: server.request_json(path)) for path in foreign],
        "writing": refusal(lambda: observation.create(server)),
    }
    server.auth.access_token = "x"
    return {**said, "stranger": refusal(lambda: Patient.read(smart.patient_id, server))}


def refusal(ask: Callable[[], Any]) -> tuple[int, str] | None:
    """The status and the issue code of the OperationOutcome that an error of fhirclient carries."""
    try:
        ask()
    except (FHIRNotFoundException, FHIRPermissionDeniedException, FHIRUnauthorizedException) as error:
        return error.response.status_code, OperationOutcome(error.response.json()).issue[0].code
    return None


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
