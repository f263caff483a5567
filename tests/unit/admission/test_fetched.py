"""What a fetched record may say of people: of those of its own server alone, and never by an id of ours."""

from __future__ import annotations

from typing import Any

import pytest

from admission.fetched import intake_of
from admission.rewriting import rewrite_references
from store.incoming import PatientLink

BASE = "https://ehr.example/fhir"
OURS = "00000000-0000-4000-8000-000000000001"
GUESSED = [f"urn:fillertrace:nowhere/Patient/{OURS}", f"https://other.example/fhir/Patient/{OURS}"]


def links_of(other: dict[str, Any], *, kind: str = "replaced-by") -> tuple[PatientLink, ...]:
    patient = {"resourceType": "Patient", "id": "12", "link": [{"type": kind, "other": other}]}
    return intake_of(BASE, [patient])[1].links


@pytest.mark.parametrize("reference", ["Patient/13", f"{BASE}/Patient/13", f"{BASE}/Patient/13/_history/2"])
def test_a_server_says_whose_record_was_merged_among_its_own(reference: str) -> None:
    (link,) = links_of({"reference": reference})
    assert (link.replaced, link.surviving) == ("entry:0", f"{BASE}/Patient/13")
    (link,) = links_of({"reference": reference}, kind="replaces")
    assert (link.replaced, link.surviving) == (f"{BASE}/Patient/13", "entry:0")


@pytest.mark.parametrize("kind", ["replaced-by", "replaces"])
@pytest.mark.parametrize(
    "other",
    [
        {"reference": "https://other.example/fhir/Patient/13"},
        {"reference": f"{BASE}2/Patient/13"},
        {"identifier": {"system": "https://other.example/mrn", "value": "13"}},
        {"reference": OURS},
        *({"reference": guess} for guess in GUESSED),
    ],
)
def test_a_server_says_nothing_of_who_is_elsewhere(kind: str, other: dict[str, Any]) -> None:
    assert links_of(other, kind=kind) == ()


@pytest.mark.parametrize("guess", GUESSED)
def test_no_address_means_an_id_of_ours(guess: str) -> None:
    patient = {"resourceType": "Patient", "id": "12"}
    seen = {
        "resourceType": "Observation",
        "id": "1",
        "subject": {"reference": "Patient/12"},
        "focus": [{"reference": guess}],
    }
    _, brought = intake_of(BASE, [patient, seen])
    (group,) = brought.groups
    assert group.identity.own_id is None
    (kept,) = [one for one in group.resources if one.type == "Observation"]
    assert guess.encode() in rewrite_references(kept.content, {})
