"""HAPI's R4 validator: no error and no unexplained warning on what goes out, under our profiles, and on those."""

import json
import re
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from correlation.knowledge_base import load_knowledge
from correlation.timeline import DataClass, Withheld, WithheldBecause
from ehr.write_back import OURS
from ehr.written_content import marked
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.report_profiles import PROFILE_OF_RESULT, REPORT_PROFILE
from fhir_mappings.resource_json import dumps
from fhir_mappings.stateless import correlate_parsed
from fhir_mappings.validation import validate
from tests.builders import unseen
from tests.conftest import ARTEFACTS
from tests.examples import CASE_IDS, case_bytes
from tests.servers.hapi import Finding, HapiValidator

AS_OF = date(2026, 11, 1)
ISSUED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
EXPLAINED = tomllib.loads(
    (Path(__file__).parents[1] / "conformance" / "explained_warnings.toml").read_text(encoding="utf-8")
)["warning"]
ARTEFACT_FILES = sorted(ARTEFACTS.glob("*.json"))


EVERYTHING = tuple(unseen(data, because) for data in DataClass for because in WithheldBecause)


@cache
def answer(case_id: str, *, withheld: tuple[Withheld, ...] = ()) -> dict[str, Any]:
    result = correlate_parsed(
        parse_bundle(case_bytes(case_id)),
        knowledge=load_knowledge(),
        as_of=AS_OF,
        issued=ISSUED,
        software_version="test",
        withheld=withheld,
    )
    bundle: dict[str, Any] = json.loads(dumps(result.bundle))
    return bundle


def unexplained(type_: str, findings: Iterable[Finding]) -> list[str]:
    return [
        f"{type_} {finding.severity} {finding.location}: {finding.code} {finding.message}"
        for finding in findings
        if finding.severity != "information" and not _explained(type_, finding)
    ]


def _explained(type_: str, finding: Finding) -> bool:
    return finding.severity == "warning" and any(
        finding.code == row["code"] and re.search(rf"\b({row['on']})\b", f"{type_} {finding.location}")
        for row in EXPLAINED
    )


def profiles_of(resource: dict[str, Any]) -> list[str]:
    if resource["resourceType"] == "DiagnosticReport":
        return [REPORT_PROFILE]
    if resource["resourceType"] != "Observation":
        return []
    codes = {coding["code"] for coding in resource["code"]["coding"]}
    (profile,) = (PROFILE_OF_RESULT[code] for code in codes & PROFILE_OF_RESULT.keys())
    return [profile]


def ours(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] != "Patient"]


def faults(bundle: dict[str, Any], hapi_validator: HapiValidator) -> list[str]:
    found = [
        line
        for resource in ours(bundle)
        for line in unexplained(
            resource["resourceType"], hapi_validator.validate(dumps(resource), profiles_of(resource))
        )
    ]
    return found + unexplained("Bundle", hapi_validator.validate(dumps(bundle)))


def test_what_is_written_back_is_valid_with_its_mark(hapi_validator: HapiValidator) -> None:
    for resource in (one for one in ours(answer("V01")) if one["resourceType"] in OURS):
        written = marked(resource)
        profiles = profiles_of(resource)
        assert unexplained(resource["resourceType"], hapi_validator.validate(dumps(written), profiles)) == []


@pytest.mark.parametrize("case_id", CASE_IDS)
def test_every_outgoing_resource_is_valid_under_our_profiles(case_id: str, hapi_validator: HapiValidator) -> None:
    assert faults(answer(case_id), hapi_validator) == []


@pytest.mark.parametrize("case_id", CASE_IDS[::7])
def test_so_it_is_where_data_are_withheld(case_id: str, hapi_validator: HapiValidator) -> None:
    bundle = answer(case_id, withheld=EVERYTHING)
    assert len(bundle["entry"][-1]["resource"]["issue"]) >= len(EVERYTHING)
    assert faults(bundle, hapi_validator) == []


@pytest.mark.parametrize("withheld", [(), EVERYTHING], ids=["all seen", "all withheld"])
@pytest.mark.parametrize("case_id", CASE_IDS)
def test_validate_finds_no_fault_in_what_we_write(case_id: str, withheld: tuple[Withheld, ...]) -> None:
    definitions = {one["url"]: one for one in (json.loads(file.read_bytes()) for file in ARTEFACT_FILES)}
    for resource in ours(answer(case_id, withheld=withheld)):
        assert validate(resource, profiles=profiles_of(resource), definitions=definitions) == ()


@pytest.mark.parametrize("file", ARTEFACT_FILES, ids=lambda file: file.stem)
def test_every_conformance_artefact_is_valid(file: Path, hapi_validator: HapiValidator) -> None:
    assert unexplained(file.stem.partition("-")[0], hapi_validator.validate(file.read_bytes())) == []


def test_our_profiles_are_not_met_by_anything(hapi_validator: HapiValidator) -> None:
    report = next(one for one in ours(answer("V01")) if one["resourceType"] == "DiagnosticReport")
    without = {key: value for key, value in report.items() if key not in ("presentedForm", "conclusion")}
    findings = hapi_validator.validate(dumps(without), [REPORT_PROFILE])
    assert {one.message.split(":")[0] for one in findings if one.is_error} == {
        "DiagnosticReport.presentedForm",
        "DiagnosticReport.conclusion",
    }
