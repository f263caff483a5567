"""The session with PyPI's fhirclient, the SMART client for Python. It reads the batch-response Bundle of FHIR R5."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from fhirclient.auth import FHIRAuth
from fhirclient.models.bundle import Bundle
from fhirclient.models.diagnosticreport import DiagnosticReport
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRServer


def main(base: str, name: str, record: str, token: str) -> dict[str, Any]:
    server = FHIRServer(None, base_uri=base)
    server.auth = FHIRAuth.create("oauth2", state={"access_token": token})

    created = Patient({"identifier": [{"system": "https://clients.example/mrn", "value": name}]}).create(server)
    patient = Patient.read(created["id"], server)

    entries = [
        {
            "resource": Observation(
                {
                    "status": "final",
                    "code": {"text": f"observation {number}"},
                    "subject": {"reference": f"Patient/{patient.id}"},
                }
            ).as_json(),
            "request": {"method": "POST", "url": "Observation"},
        }
        for number in range(5)
    ]
    transaction = Bundle({"type": "transaction", "entry": entries})
    response = Bundle(server.post_json("", transaction.as_json()).json())

    search = Observation.where({"patient": patient.id, "_count": "2"})
    found = [observation.id for observation in search.perform_resources_iter(server)]

    server.session.headers["Prefer"] = "respond-async"
    accepted = server.post_json("$correlate", json.loads(Path(record).read_text(encoding="utf-8")))
    polled = server._get(accepted.headers["Content-Location"])
    while polled.status_code == 202:
        time.sleep(float(polled.headers["Retry-After"]))
        polled = server._get(accepted.headers["Content-Location"])
    result = Bundle(polled.json()).entry[0].resource
    report = DiagnosticReport.read(result.entry[0].resource.id, server)

    return {
        "patient": patient.id,
        "created": [entry.response.location for entry in response.entry],
        "found": found,
        "report": report.id,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
