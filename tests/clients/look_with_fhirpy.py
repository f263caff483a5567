"""What PyPI's fhirpy sees with a token that somebody else has got for it, and what it says of what it may not see."""

import json
import sys
from collections.abc import Callable
from typing import Any

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, BaseFHIRError, ForbiddenError, ResourceNotFound

STATUS = {AuthorizationError: 401, ForbiddenError: 403, ResourceNotFound: 404}


def main(base: str, token: str, patient: str, code: str, *foreign: str) -> dict[str, Any]:
    client = SyncFHIRClient(base, authorization=f"Bearer {token}")
    stranger = SyncFHIRClient(base, authorization="Bearer x")

    report = client.resources("DiagnosticReport").search(patient=patient, code=code).first()
    types = ("Patient", "Procedure", "ImagingStudy", "Observation", "DiagnosticReport")
    observation = client.resource("Observation", status="final", code={"text": "x"})
    return {
        "patient": client.get("Patient", patient).id,
        "report": client.get("DiagnosticReport", report.id).id,
        "seen": [f"{type_}/{found.id}" for type_ in types for found in client.resources(type_).fetch_all()],
        "foreign": [refusal(lambda path=path: client.execute(path, method="get")) for path in foreign],
        "writing": refusal(observation.save),
        "stranger": refusal(lambda: stranger.get("Patient", patient)),
    }


def refusal(ask: Callable[[], Any]) -> tuple[int, str] | None:
    """The status that an error of fhirpy means, and the issue code of the OperationOutcome that is its text."""
    try:
        ask()
    except BaseFHIRError as error:
        return STATUS[type(error)], json.loads(str(error))["issue"][0]["code"]
    return None


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
