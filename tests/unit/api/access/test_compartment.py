"""Who is bound to one patient sees and touches that patient alone: by whatever they ask, with whatever scopes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api.access.neighbours import (
    EHR,
    LABORATORY,
    MRN,
    WORDS,
    Neighbour,
    Street,
    readable,
    record_of,
    shared_in,
    state_of,
)
from tests.unit.api.log_file import LogFile
from tests.unit.api.service import FHIR_JSON

TYPES = ("Patient", "Procedure", "Observation", "ImagingStudy", "DiagnosticReport", "Condition", "Provenance")
SHARED = ("Practitioner", "Device", "Organization")
ALL = (0, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of somebody bound to a patient."""

    bound: int
    scopes: str
    method: str
    path: str
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


SCOPES = st.lists(
    st.sampled_from(
        [
            "patient/*.cruds",
            "patient/*.rs",
            "patient/*.r",
            "patient/*.read",
            "patient/*.cud",
            "patient/Patient.rs",
            "patient/DiagnosticReport.cruds",
            "patient/DiagnosticReport.rs",
            "patient/Observation.cruds",
            f"patient/Observation.rs?category={LABORATORY}",
            f"patient/Observation.cu?category={LABORATORY}",
            "patient/Procedure.rs",
            "patient/ImagingStudy.rs",
            "patient/Task.ru",
            "patient/Practitioner.rs",
            "patient/Practitioner.cud",
            "user/Practitioner.rs",
            "user/Task.r",
            "user/Observation.c",
            f"user/Observation.c?category={LABORATORY}",
            "launch/patient",
            "openid",
        ]
    ),
    min_size=1,
    max_size=8,
    unique=True,
).map(" ".join)


@st.composite
def requests_of(draw: st.DrawFn, patients: tuple[Neighbour, ...], shared: tuple[str, ...]) -> Asked:
    """Any request, about anybody."""
    whom = patients[draw(st.sampled_from(ALL))]
    type_ = draw(st.sampled_from([*TYPES, *SHARED]))
    identity = draw(
        st.sampled_from([*whom.ids.get(type_, []), *whom.ids["Observation"], whom.report_id, whom.id, *shared])
    )
    method, path, body, headers = draw(
        st.sampled_from(
            [
                ("GET", f"/{type_}/{identity}", None, ()),
                ("GET", f"/{type_}/{identity}/_history", None, ()),
                ("GET", f"/{type_}/{identity}/_history/1", None, ()),
                ("GET", f"/{type_}", None, ()),
                ("GET", f"/{type_}?patient={whom.id}", None, ()),
                ("GET", f"/{type_}?patient={EHR}/Patient/{whom.number}", None, ()),
                ("GET", f"/{type_}?_id={identity}", None, ()),
                ("GET", f"/{type_}?identifier={MRN}|{whom.word}-mrn", None, ()),
                ("GET", "/Patient?_revinclude=Observation:patient&_revinclude=DiagnosticReport:patient", None, ()),
                ("GET", "/Observation?_include=Observation:patient&_include=Observation:device", None, ()),
                ("GET", "/Procedure?_include=Procedure:performer", None, ()),
                ("GET", "/DiagnosticReport?_include=DiagnosticReport:result&_revinclude=Provenance:target", None, ()),
                (
                    "POST",
                    f"/{type_}/_search",
                    f"patient={whom.id}",
                    (("Content-Type", "application/x-www-form-urlencoded"),),
                ),
                ("GET", f"/DiagnosticReport/{whom.report_id}/$explain", None, ()),
                ("POST", f"/Patient/{whom.id}/$correlate", "", (("Prefer", "respond-async"),)),
                ("POST", f"/{type_}/{identity}/$validate", "", ()),
                ("GET", f"/Task/{whom.jobs[0]}", None, ()),
                ("POST", f"/Task/{whom.jobs[0]}/$retry", None, ()),
                ("GET", f"/async-status/{whom.jobs[0]}", None, ()),
                ("GET", f"/async-status/{whom.jobs[1]}/result", None, ()),
                ("DELETE", f"/async-status/{whom.jobs[0]}", None, ()),
                ("DELETE", f"/{type_}/{identity}", None, ()),
                ("POST", "/Observation", _json(_observation(whom.id)), ()),
                ("POST", "/Observation", _json(_observation(whom.id)), (("If-None-Exist", "code=17861-6"),)),
                ("POST", "/Patient", _json(_patient(whom)), ()),
                ("POST", "/Patient", _json(_patient(whom)), (("If-None-Exist", f"identifier={MRN}|{whom.word}-mrn"),)),
                ("PUT", f"/{type_}/{identity}", _json({**_observation(whom.id), "id": identity}), ()),
                ("PUT", f"/Patient/{whom.id}", _json({**_patient(whom), "id": whom.id}), ()),
                ("PUT", f"/Patient/{patients[0].id}", _json(_linked(patients[0], whom)), ()),
                ("POST", "", _json(_bundle("batch", whom, identity, type_)), ()),
                ("POST", "", _json(_bundle("transaction", whom, identity, type_)), ()),
                ("POST", "/$correlate", _json(record_of(whom.number)), (("Prefer", "respond-async"),)),
                ("POST", "/$correlate", _json(record_of(whom.number)), (("Prefer", "wait=0"),)),
                ("POST", "/$correlate", _json(_nothing_kept(whom)), (("Prefer", "respond-async"),)),
                ("GET", f"/{type_}/{identity}/_history?_since=2999-01-01", None, ()),
                ("GET", f"/{type_}?patient={whom.id}&_summary=count", None, ()),
                ("DELETE", f"/Practitioner/{shared[0]}", None, ()),
                ("PUT", f"/Practitioner/{shared[0]}", _json({"resourceType": "Practitioner", "id": shared[0]}), ()),
                ("POST", "", _json(_gone("batch", f"{type_}/{identity}", f"Practitioner/{shared[0]}")), ()),
            ]
        )
    )
    return Asked(
        bound=draw(st.sampled_from(ALL)),
        scopes=draw(SCOPES),
        method=method,
        path=path,
        body=body,
        headers=headers,
    )


def _json(content: Any) -> str:
    return json.dumps(content)


def _observation(patient_id: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "valueQuantity": {"value": 9.9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }


def _patient(whom: Neighbour) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": MRN, "value": f"{whom.word}-mrn"}]}


def _linked(one: Neighbour, other: Neighbour) -> dict[str, Any]:
    link = {"other": {"reference": f"Patient/{other.id}"}, "type": "replaced-by"}
    return {"resourceType": "Patient", "id": one.id, "link": [link]}


def _nothing_kept(whom: Neighbour) -> dict[str, Any]:
    subject = {"reference": f"{EHR}/Patient/{whom.number}"}
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": subject}
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": plan}]}


def _gone(kind: str, *urls: str) -> dict[str, Any]:
    entries = [{"request": {"method": "DELETE", "url": url, "ifMatch": 'W/"1"'}} for url in urls]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _bundle(kind: str, whom: Neighbour, identity: str, type_: str) -> dict[str, Any]:
    searched = {**_observation(whom.id), "subject": {"reference": f"Patient?identifier={MRN}|{whom.word}-mrn"}}
    entries: list[dict[str, Any]] = [
        {"request": {"method": "GET", "url": f"{type_}/{identity}"}},
        {"request": {"method": "GET", "url": f"Observation?patient={whom.id}"}},
        {"request": {"method": "POST", "url": "Observation"}, "resource": _observation(whom.id)},
        {"request": {"method": "POST", "url": "Observation"}, "resource": searched},
        {
            "request": {"method": "PUT", "url": f"Observation/{whom.ids['Observation'][0]}"},
            "resource": {**_observation(whom.id), "id": whom.ids["Observation"][0]},
        },
        {"request": {"method": "DELETE", "url": f"Condition/{whom.ids['Condition'][0]}"}},
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def ask(street: Street, asked: Asked, request_id: str) -> httpx.Response:
    headers = {
        **FHIR_JSON,
        "X-Request-Id": request_id,
        **street.token(asked.scopes, asked.bound),
        **dict(asked.headers),
    }
    return street.door.client.request(asked.method, asked.path, content=asked.body, headers=headers)


@pytest.mark.requirement("SM-03", "SM-04")
def test_no_answer_tells_of_another_patient(street: Street, log: LogFile) -> None:
    """Nor does a log line; and nothing is written there. What the caller has said themselves may come back."""
    others = {one.number: [two for two in street.patients if two is not one] for one in street.patients}
    before = {one.number: state_of(street.door, one) for one in street.patients}
    shared = shared_in(street.door)
    statuses: set[int] = set()

    @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(requests_of(street.patients, tuple(shared)))
    def holds(asked: Asked) -> None:
        request_id = f"request-{uuid4().hex}"
        answer = ask(street, asked, request_id)
        statuses.add(answer.status_code)
        said = f"{asked.path} {asked.body}"
        heard = readable(answer.text) + json.dumps(dict(answer.headers)) + log.line_of(request_id)
        marks = {mark for one in others[asked.bound] for mark in one.marks if mark not in said}
        assert [mark for mark in marks if mark in heard] == []
        for one in others[asked.bound]:
            state = state_of(street.door, one)
            assert state == before[one.number] or "user/" in asked.scopes  # which may write beside anybody's
            before[one.number] = state
        before[asked.bound] = state_of(street.door, street.patients[asked.bound])
        assert shared_in(street.door).items() >= shared.items()
        assert answer.status_code < 500

    holds()
    assert {200, 201, 202, 204, 403, 404} <= statuses, "requests of every outcome were made, or this shows nothing"
    assert len(set(WORDS)) == len(ALL)
