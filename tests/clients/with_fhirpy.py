"""The session with PyPI's fhirpy. It follows a 303 by itself, so it asks for that dialect."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from fhirpy import SyncFHIRClient


def main(base: str, name: str, record: str, token: str) -> dict[str, Any]:
    answers: list[Any] = []  # fhirpy gives bodies only; the headers are seen by way of its requests
    hooks = {"response": [lambda answer, **_: answers.append(answer)]}
    access = f"Bearer {token}"
    client = SyncFHIRClient(base, authorization=access, requests_config={"hooks": hooks, "timeout": 60})

    patient = client.resource("Patient", identifier=[{"system": "https://clients.example/mrn", "value": name}])
    patient.save()
    read = client.get("Patient", patient.id)

    entries = [
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": f"observation {number}"},
                "subject": {"reference": f"Patient/{patient.id}"},
            },
            "request": {"method": "POST", "url": "Observation"},
        }
        for number in range(5)
    ]
    response = client.execute("", data={"resourceType": "Bundle", "type": "transaction", "entry": entries})

    search = client.resources("Observation").search(patient=patient.id).limit(2)
    found = [resource.id for resource in search.fetch_all()]

    accepting = SyncFHIRClient(
        base,
        authorization=access,
        extra_headers={"Prefer": "respond-async, async-result=redirect"},
        requests_config={"hooks": hooks},
    )
    accepting.execute("$correlate", data=json.loads(Path(record).read_text(encoding="utf-8")))
    address = answers[-1].headers["Content-Location"]
    result = client.execute(address.removeprefix(f"{base}/"), method="get")
    while answers[-1].status_code == 202:
        time.sleep(float(answers[-1].headers["Retry-After"]))
        result = client.execute(address.removeprefix(f"{base}/"), method="get")
    report = client.get("DiagnosticReport", result["entry"][0]["resource"]["id"])

    return {
        "patient": read["id"],
        "created": [entry["response"]["location"] for entry in response["entry"]],
        "found": found,
        "report": report["id"],
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
