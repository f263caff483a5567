"""What is stored is read back as it came: decimals by their digits, extensions, fields that FHIR does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_mappings.resource_types import KEPT_TYPES
from tests.servers.redis import RedisServer
from tests.unit.api.service import FHIR_JSON, Door, running_door

EXAMPLES = Path(__file__).parents[2] / "examples"
OFFICIAL = sorted([*(EXAMPLES / "hl7-r4").glob("*.json"), *(EXAMPLES / "us-core").glob("*.json")])


@pytest.fixture(scope="module")
def one_door(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Door]:
    """One door for all examples: they do not meet, each has its own patient."""
    with running_door(tmp_path_factory.mktemp("record"), redis_server.url) as door:
        yield door


class Spelling(str):
    """A number as it is spelt."""


def _read(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Spelling, parse_int=Spelling)


def _without_ours(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what is ours to write: id, version and time, and where its references lead."""
    meta = {name: one for name, one in resource.get("meta", {}).items() if name not in {"versionId", "lastUpdated"}}
    rest = {name: one for name, one in resource.items() if name not in {"id", "meta"}}
    without: dict[str, Any] = _anywhere({**rest, **({"meta": meta} if meta else {})})
    return without


def _anywhere(value: Any) -> Any:
    if isinstance(value, list):
        return [_anywhere(one) for one in value]
    if not isinstance(value, dict):
        return (type(value).__name__, value)
    return {
        name: "elsewhere" if name == "reference" and not str(one).startswith("#") else _anywhere(one)
        for name, one in value.items()
    }


def _stored(door: Door, body: str | bytes) -> tuple[str, str]:
    """The address of a resource that was created from this body, and its text as it is read."""
    type_ = json.loads(body)["resourceType"]
    created = door.client.post(f"/{type_}", content=body, headers={**FHIR_JSON, "Prefer": "return=minimal"})
    assert created.status_code in {200, 201}, created.text
    location = created.headers["Location"].removeprefix(door.base)
    return location.partition("/_history")[0], door.client.get(location).text


@pytest.mark.requirement("HTTP-05")
@pytest.mark.parametrize("file", OFFICIAL, ids=lambda file: file.stem)
def test_an_official_example_is_read_back_equal(one_door: Door, file: Path) -> None:
    body = file.read_bytes()
    address, read = _stored(one_door, body)
    assert _without_ours(_read(read)) == _without_ours(_read(body))
    updated = one_door.client.put(address, content=read, headers=FHIR_JSON)
    assert updated.status_code == 200
    assert updated.headers["ETag"] == f'W/"{json.loads(read)["meta"]["versionId"]}"', "its own text is no change"


def test_the_examples_cover_what_is_kept_and_what_loses_digits() -> None:
    types = {json.loads(file.read_bytes())["resourceType"] for file in OFFICIAL}
    assert KEPT_TYPES - types == {
        "Medication",
        "MedicationRequest",
        "MedicationStatement",
    }  # these have no example there
    spelt = set(
        re.findall(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?", (EXAMPLES / "hl7-r4" / "Observation-decimal.json").read_text())
    )
    assert {"1.00", "1E-22"} <= spelt


_DECIMALS = st.one_of(
    st.sampled_from(
        [
            "0.40",
            "1.00",
            "1.0E-245",
            "1.000000000000000000E-245",
            "20e-1",
            "1e3",
            "0.0000001",
            "-0.0",
            "0E+5",
            "10.0e+2",
        ]
    ),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})\.[0-9]{1,20}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"-?[1-9][0-9]{0,17}", fullmatch=True),
)
_NAMES = st.from_regex(r"_?x[A-Za-z]{1,12}", fullmatch=True)
_VALUES = st.recursive(
    st.one_of(_DECIMALS.map(Spelling), st.text(max_size=20), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=12,
)


def _written(value: Any) -> str:
    """JSON with numbers as they are spelt."""
    if isinstance(value, Spelling):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value)


@pytest.mark.requirement("HTTP-05")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    type_=st.sampled_from(sorted(KEPT_TYPES)),
    unknown=st.dictionaries(_NAMES, _VALUES, max_size=4),
    extension=_VALUES,
    decimal=_DECIMALS.map(Spelling),
    meta_first=st.booleans(),
)
def test_whatever_a_resource_holds_is_read_back_equal(
    one_door: Door, type_: str, unknown: dict[str, Any], extension: Any, decimal: Spelling, meta_first: bool
) -> None:
    meta = {"meta": {"profile": ["https://a.example/profile"], "versionId": "77", "xOwn": decimal}}
    resource = {
        **(meta if meta_first else {}),
        "resourceType": type_,
        "id": "the-client-s",
        "extension": [{"url": "https://a.example/x", "valueDecimal": decimal, "xMore": extension}],
        **unknown,
    }
    body = _written(resource)
    _, read = _stored(one_door, body)
    assert _without_ours(_read(read)) == _without_ours(_read(body))
