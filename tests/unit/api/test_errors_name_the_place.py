"""Every error names the element, says how to mend it, links to its explanation, and never repeats the input.

A word that stands in every value of a good transaction is looked for in the answers to that transaction broken in
every way that its elements can be broken.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.broken_resources import broken
from tests.unit.api.service import FHIR_JSON, Door

CANARY = "zanzibar"
FHIRPATH = re.compile(r"(Bundle|Parameters|[A-Z][A-Za-z]+)(\.[A-Za-z]+(\[\d+\]|\.where\(name='[a-z]+'\))?)*")
ISSUES_PAGE = (Path(__file__).parents[3] / "docs" / "issues.md").read_text(encoding="utf-8")
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": f"https://{CANARY}.example/mrn", "value": CANARY}],
    "name": [{"family": CANARY, "given": [CANARY]}],
    "birthDate": "1971-03-28",
    "gender": "female",
}
PROCEDURE: dict[str, Any] = {
    "resourceType": "Procedure",
    "status": "completed",
    "subject": {"reference": "Patient/p1", "display": CANARY},
    "performedDateTime": "2018-05",
    "code": {"coding": [{"system": f"https://{CANARY}.example", "code": CANARY}], "text": f"Radiesse {CANARY}"},
    "note": [{"text": CANARY}],
}


def broken_bundles() -> Iterator[tuple[str, dict[str, Any]]]:
    """The transaction with one thing wrong, and the name of it."""
    resources = [PATIENT, PROCEDURE]
    good = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources],
    }
    for at, resource in enumerate(resources):
        for what, wrong in broken(resource):
            bundle = copy.deepcopy(good)
            bundle["entry"][at]["resource"] = wrong
            yield what, bundle
    for what, request in {
        "method": {"method": CANARY, "url": "Patient"},
        "url": {"method": "POST", "url": CANARY},
        "condition": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier-of={CANARY}"},
        "if-match": {"method": "PUT", "url": "Patient/p1", "ifMatch": CANARY},
        "no request": None,
    }.items():
        bundle = copy.deepcopy(good)
        bundle["entry"][1]["request"] = request
        yield what, bundle
    for what, changes in {
        "type": {"type": CANARY},
        "entry": {"entry": CANARY},
        "entries": {"entry": [CANARY, None, {}]},
        "resource type": {"entry": [{"resource": {"resourceType": CANARY}}]},
        "field": {"unknownField": CANARY},
    }.items():
        yield what, {**good, **changes}


def check(issue: dict[str, Any], what: str) -> None:
    (coding, *_) = issue["details"]["coding"]
    assert issue["details"]["text"].rstrip().endswith((".", ")")), what
    assert issue["diagnostics"] == f"docs/issues.md#{coding['code']}", what
    assert f'<a id="{coding["code"]}"></a>' in ISSUES_PAGE, coding["code"]
    for path in issue.get("expression", ()):
        assert FHIRPATH.fullmatch(path), (what, path)


@pytest.mark.parametrize("address", ["", "/$correlate", "/$validate"])
def test_no_error_repeats_the_input_and_each_names_its_place(door: Door, address: str) -> None:
    seen = 0
    for what, bundle in broken_bundles():
        answer = door.client.post(address, content=json.dumps(bundle), headers={**FHIR_JSON, "Prefer": "respond-async"})
        assert answer.status_code < 500, what
        outcomes = [answer.json()]
        if outcomes[0]["resourceType"] == "Bundle":
            outcomes = [
                entry["response"]["outcome"] for entry in outcomes[0]["entry"] if "outcome" in entry["response"]
            ]
        for outcome in outcomes:
            assert CANARY not in json.dumps(outcome), what
            for issue in outcome["issue"]:
                if "details" in issue:
                    check(issue, what)
                    seen += issue["severity"] == "error"
    assert seen > 3
