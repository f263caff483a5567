"""The table of FHIR R4: true to HL7's files, a rule for every invariant, and no resource that makes the walker fail."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from fhir_mappings.r4.definitions import TYPES
from fhir_mappings.r4.invariants import CHECKED_ELSEWHERE, RULES
from fhir_mappings.resource_types import KEPT_TYPES
from fhir_mappings.validation import validate
from tests.conformance.comparison import examples
from tests.conformance.r4_definitions import TARGET, built_jar, written
from tests.servers.hapi import HapiValidator

ODD: tuple[Any, ...] = (None, True, 1, -1.5, "", "x", [], {}, [[]], [None], {"id": []}, "#", {"resourceType": []})


def test_every_kept_type_is_in_the_table() -> None:
    assert TYPES.keys() >= KEPT_TYPES


def test_every_invariant_has_its_rule_and_every_rule_its_invariant() -> None:
    stated = {
        rule.key
        for definition in TYPES.values()
        for rule in (*definition.rules, *(one for element in definition.elements.values() for one in element.rules))
        if rule.severity == "error"
    }
    assert stated == RULES.keys() | CHECKED_ELSEWHERE


def test_the_table_is_what_hl7_s_files_say(hapi_validator: HapiValidator) -> None:
    assert TARGET.read_text(encoding="utf-8") == written(built_jar()), "run: make r4-definitions"


@pytest.mark.parametrize("seed", range(20))
def test_no_resource_makes_it_fail(seed: int) -> None:
    chance = random.Random(seed)
    for raw in examples().values():
        try:
            resource = json.loads(raw)
        except ValueError:
            continue
        for _ in range(chance.randint(1, 4)):
            parent, key = chance.choice(_places(resource))
            if key != "resourceType" or parent is not resource:
                parent[key] = json.loads(json.dumps(chance.choice(ODD)))
        for issue in validate(resource):
            assert issue.expression


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]
