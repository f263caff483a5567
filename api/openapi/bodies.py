"""This file says what is sent, for the OpenAPI document: the media type, the schema, and small examples that run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.content import FHIR_JSON
from api.openapi.parameters import search_fields
from api.openapi.schemas import bundle, either, ref

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is sent: `examples` are bodies by their name, each of which is answered with 2xx."""

    schema: Mapping[str, Any]
    examples: Mapping[str, Any]
    media_type: str = FHIR_JSON
    required: bool = True

    def written(self) -> dict[str, Any]:
        """As OpenAPI writes it."""
        examples = {name: {"value": value} for name, value in self.examples.items()}
        return {
            "required": self.required,
            "content": {self.media_type: {"schema": self.schema, "examples": examples}},
        }


_PATIENT: Final = {
    "resourceType": "Patient",
    "identifier": [{"system": "https://ehr.example/mrn", "value": "example-1"}],
    "gender": "female",
    "birthDate": "1971-03-28",
}
_INJECTION: Final = {
    "resourceType": "Procedure",
    "status": "completed",
    "code": {"text": "Radiesse injection, left and right malar"},
    "subject": {"reference": "Patient/1"},
    "performedDateTime": "2022-11-14",
}
_CT: Final = {
    "resourceType": "DiagnosticReport",
    "status": "final",
    "code": {"text": "CT face"},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2023-09-02",
    "conclusion": "Bilateral linear calcified deposits in the malar soft tissues.",
}
_RECORD: Final = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {**_PATIENT, "id": "1"}},
        {"resource": {**_INJECTION, "id": "2"}},
        {"resource": {**_CT, "id": "3"}},
    ],
}
_EMPTY: Final = {"resourceType": "Parameters"}


def _writing(type_: str) -> dict[str, Any]:
    patient = {
        "fullUrl": "urn:uuid:6f1c2f0e-0b1f-4a52-9a6b-0d2a4c5e7f10",
        "resource": _PATIENT,
        "request": {"method": "POST", "url": "Patient"},
    }
    injection = {
        "resource": {**_INJECTION, "subject": {"reference": patient["fullUrl"]}},
        "request": {"method": "POST", "url": "Procedure"},
    }
    return {"resourceType": "Bundle", "type": type_, "entry": [patient, injection]}


def _parameters(**values: Mapping[str, Any]) -> dict[str, Any]:
    return {**_EMPTY, "parameter": [{"name": name, **value} for name, value in values.items()]}


RECORD: Final = Body(
    schema=either(ref("Bundle"), ref("Parameters")),
    examples={
        "record": _RECORD,
        "nothing-kept": _parameters(bundle={"resource": _RECORD}, store={"valueBoolean": False}),
    },
)
NO_BUNDLE: Final = Body(schema=ref("Parameters"), examples={"empty": _EMPTY}, required=False)
ENTRIES: Final = Body(
    schema=either(bundle("transaction"), bundle("batch")),
    examples={"transaction": _writing("transaction"), "batch": _writing("batch")},
)
CREATED: Final = Body(schema=ref("KeptResource"), examples={"patient": _PATIENT})
UPDATED: Final = Body(
    schema=ref("KeptResource"), examples={"patient": {**_PATIENT, "id": "{resource_id}", "active": True}}
)
VALIDATED: Final = Body(
    schema=ref("Resource"),
    examples={
        "resource": _PATIENT,
        "parameters": _parameters(resource={"resource": _PATIENT}, mode={"valueCode": "create"}),
    },
    required=False,
)
ASKED: Final = Body(
    schema={"type": "object", "properties": search_fields()},
    examples={"by-identifier": {"identifier": "https://ehr.example/mrn|example-1"}},
    media_type=FORM,
    required=False,
)
