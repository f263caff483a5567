"""The same record written otherwise gives the same answer: order, ids, form, exact units, unrelated resources.

Hypothesis picks the case and what is changed.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from correlation.catalogue import Analyte
from correlation.knowledge_base import load_knowledge
from tests.clinical.scoring import AS_OF, ISSUED
from tests.correlated import correlate_bundle
from tests.examples import CASE_IDS, CONSTRUCTED_IDS, case_bytes

KNOWLEDGE = load_knowledge()
BY_LOINC = {code: analyte for analyte in KNOWLEDGE.labs.values() for code in analyte.loinc}
Record = dict[str, Any]


def outcome(raw: bytes) -> tuple[object, ...]:
    """What the answer says, without the references it names."""
    found = correlate_bundle(raw, knowledge=KNOWLEDGE, as_of=AS_OF, issued=ISSUED, software_version="test").assessment
    return (
        found.attribution,
        found.conclusion,
        [(item.cause, item.category, [answer.reply for answer in item.answers]) for item in found.differential],
        [(item.finding.key, item.attribution) for item in found.findings],
        [item.code for item in found.alerts],
        [(item.questions, item.replies, item.becomes) for item in found.would_change],
        found.separating_question,
    )


def another_order(bundle: Record, chance: Random) -> None:
    chance.shuffle(bundle["entry"])


def other_ids(bundle: Record, chance: Random) -> None:
    """Every resource gets another name, and every reference follows."""
    names: dict[str, str] = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        number = f"{chance.randrange(10**9):09d}"
        if "fullUrl" in entry:
            urn = entry["fullUrl"].startswith("urn:")
            address = f"https://other.example.net/fhir/{resource['resourceType']}/{number}"
            new = f"urn:uuid:00000000-0000-4000-8000-000{number}" if urn else address
            names[entry["fullUrl"]] = entry["fullUrl"] = new
        if "id" in resource:
            names[f"{resource['resourceType']}/{resource['id']}"] = f"{resource['resourceType']}/{number}"
            resource["id"] = number
    for reference in references_in(bundle):
        reference["reference"] = names.get(reference["reference"], reference["reference"])


def references_in(value: Any) -> Iterator[Record]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references_in(inner)


def another_form(bundle: Record, chance: Random) -> None:
    """Another type of Bundle, and the elements of each resource in another order."""
    bundle["type"] = chance.choice(["collection", "searchset", "batch"])
    for entry in bundle["entry"]:
        elements = list(entry["resource"].items())
        chance.shuffle(elements)
        entry["resource"] = dict(elements)
        entry.pop("request", None)
        if bundle["type"] == "batch":
            entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}


def other_units(bundle: Record, chance: Random) -> None:
    """Laboratory values in the test's own unit, which is reached by exact multiplication."""
    for entry in bundle["entry"]:
        resource = entry["resource"]
        codes = [coding.get("code") for coding in resource.get("code", {}).get("coding", ())]
        analyte = next((BY_LOINC[code] for code in codes if code in BY_LOINC), None)
        quantity = resource.get("valueQuantity")
        if analyte is not None and quantity and quantity.get("code") in analyte.factors and chance.random() < 0.7:
            factor = analyte.factors[quantity["code"]]
            limits = [
                limit[end] for limit in resource.get("referenceRange", ()) for end in ("low", "high") if end in limit
            ]
            if all(limit.get("unit", quantity["unit"]) == quantity["unit"] for limit in limits):
                for amount in (quantity, *limits):
                    convert(amount, factor, analyte)


def convert(amount: Record, factor: Decimal, analyte: Analyte) -> None:
    amount["value"] = Decimal(str(amount["value"])) * factor
    amount |= {"unit": analyte.unit, "code": analyte.unit, "system": "http://unitsofmeasure.org"}


def more_besides(bundle: Record, chance: Random) -> None:
    """Resources that have nothing to do with the question."""
    patient = next(entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    owner = {"reference": patient.get("fullUrl") or f"Patient/{patient['resource']['id']}"}
    pulse = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": "Heart rate"}
    others: list[Record] = [
        {"resourceType": "Observation", "status": "final", "code": pulse, "subject": owner, "valueInteger": 72},
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": owner},
        {"resourceType": "Condition", "code": {"text": "Allergic rhinitis"}, "subject": owner},
        {"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": "Tetanus"}, "patient": owner},
        {"resourceType": "Organization", "name": "Example clinic"},
    ]
    for number, resource in enumerate(chance.sample(others, chance.randint(1, len(others)))):
        entry = {"fullUrl": f"urn:uuid:00000000-0000-4000-9000-{number:012d}", "resource": resource}
        if bundle["type"] in ("transaction", "batch"):
            entry["request"] = {"method": "POST", "url": resource["resourceType"]}
        bundle["entry"].append(entry)


def written(bundle: Record, chance: Random) -> bytes:
    """As JSON, tightly or with much space; numbers keep every digit."""
    indent, ascii_only = chance.choice([None, 1, 4]), chance.random() < 0.5
    text: str = simplejson.dumps(bundle, indent=indent, ensure_ascii=ascii_only, use_decimal=True)
    return text.encode()


CHANGES = [another_order, other_ids, another_form, other_units, more_besides]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@settings(max_examples=25, deadline=None)
@given(case=st.sampled_from([*CASE_IDS, *CONSTRUCTED_IDS]), seed=st.integers(0, 2**16))
def test_one_change_never_moves_the_answer(change: Any, case: str, seed: int) -> None:
    bundle, chance = json.loads(case_bytes(case)), Random(seed)
    change(bundle, chance)
    assert outcome(written(bundle, chance)) == outcome(case_bytes(case))


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from([*CASE_IDS, *CONSTRUCTED_IDS]), seed=st.integers(0, 2**16))
def test_all_changes_together_never_move_the_answer(case: str, seed: int) -> None:
    bundle, chance = json.loads(case_bytes(case)), Random(seed)
    for change in chance.sample(CHANGES, len(CHANGES)):
        change(bundle, chance)
    assert outcome(written(bundle, chance)) == outcome(case_bytes(case))
