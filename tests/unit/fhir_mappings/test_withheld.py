"""What could not be seen is named on every page and in every resource, by class and reason; never what it holds."""

import json
import re
from typing import Any

import pytest

from correlation.knowledge_base import load_knowledge
from correlation.timeline import DataClass, Withheld, WithheldBecause
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.stateless import StatelessResult, correlate_parsed
from fhir_mappings.withheld import CLASS_OF_TYPE, withheld_issues
from tests.builders import unseen
from tests.examples import CASE_IDS, case_bytes
from tests.servers.hapi import HapiValidator
from tests.unit.fhir_mappings.assessments import AS_OF, ISSUED
from tests.unit.fhir_mappings.validity import assert_valid

KNOWLEDGE = load_knowledge()
HIDDEN = (unseen("conditions", "confidential"), unseen("filler-history", "masked"), unseen("filler-history"))
TOLD = (
    "conditions (labelled as more confidential than this reader may see)",
    "procedures and filler products (sent with parts taken out; this access does not permit it)",
)


def sent(case_id: str, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(case_bytes(case_id))
    bundle["entry"] = [one for one in bundle["entry"] if one["resource"]["resourceType"] not in without]
    return bundle


def correlated(bundle: dict[str, Any], *withheld: Withheld, language: str = "en") -> StatelessResult:
    return correlate_parsed(
        parse_bundle(json.dumps(bundle).encode()),
        knowledge=KNOWLEDGE.in_language(language),
        as_of=AS_OF,
        issued=ISSUED,
        software_version="test",
        withheld=withheld,
    )


def of_type(result: StatelessResult, type_: str) -> list[dict[str, Any]]:
    resources = [entry["resource"] for entry in result.bundle["entry"]]
    return [one for one in resources if one["resourceType"] == type_]


def told_withheld(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in outcome["issue"] if one["details"]["coding"][0]["code"] == "withheld"]


def test_each_class_and_reason_is_an_issue_that_says_how_to_mend_it() -> None:
    (outcome,) = of_type(correlated(sent("V01"), *HIDDEN), "OperationOutcome")
    issues = told_withheld(outcome)
    assert [one["details"]["text"].partition(". ")[0] for one in issues] == [
        "Not seen: conditions (labelled as more confidential than this reader may see)",
        "Not seen: procedures and filler products (sent with parts taken out)",
        "Not seen: procedures and filler products (this access does not permit it)",
    ]
    assert {(one["severity"], one["code"]) for one in issues} == {("warning", "suppressed")}
    assert all(one["details"]["text"].endswith(", and correlate again.") for one in issues)
    assert "Radiesse" not in json.dumps(outcome)


def test_every_reason_has_its_own_way_to_mend_it() -> None:
    issues = withheld_issues([Withheld(data=DataClass.IMAGING, because=one) for one in WithheldBecause], KNOWLEDGE)
    assert len({issue.text.partition(" less certain. ")[2] for issue in issues}) == len(WithheldBecause)


def test_where_no_report_can_be_made_the_withheld_imaging_is_named(hapi_validator: HapiValidator) -> None:
    bundle = sent("V01", without=frozenset({"ImagingStudy", "DiagnosticReport", "Observation"}))
    result = correlated(bundle, unseen("imaging", "not-fetched"))
    (outcome,) = of_type(result, "OperationOutcome")
    assert [one["details"]["coding"][0]["code"] for one in outcome["issue"]][:2] == ["no-imaging", "withheld"]
    assert "imaging studies and reports (could not be fetched)" in told_withheld(outcome)[0]["details"]["text"]
    assert_valid([result.bundle], hapi_validator)


def test_the_page_names_it_before_the_conclusion_and_behind_the_alerts() -> None:
    html = correlated(sent("V14"), *HIDDEN).html
    box = re.search(r'<section class="withheld".*?</section>', html, re.DOTALL)
    assert box is not None
    assert re.findall(r"<li>(.*?)</li>", box.group()) == list(TOLD)
    places = [html.index(f'<h2 id="{name}">') for name in ("alerts", "withheld", "conclusion")]
    assert places == sorted(places)
    assert 'id="withheld"' not in correlated(sent("V14")).html


def test_the_narrative_and_the_conclusion_name_it() -> None:
    (report,) = of_type(correlated(sent("V01"), *HIDDEN), "DiagnosticReport")
    for told in TOLD:
        assert f"<li>{told}</li>" in report["text"]["div"]
        assert told in report["conclusion"]
    assert "would fit the deposits described" in report["conclusion"]


def test_no_resource_says_more_than_possible_or_explained() -> None:
    result = correlated(sent("V01"), *HIDDEN)
    values = [one["valueCodeableConcept"]["coding"][0]["code"] for one in of_type(result, "Observation")]
    assert values[0] == "indeterminate"
    assert {"probable", "explained", "partly"}.isdisjoint(values)


def test_a_masked_resource_lowers_the_report_that_it_is_read_for() -> None:
    bundle = sent("V01")
    procedure = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Procedure")
    procedure["meta"] = {"security": [{"code": "MASKED"}]}
    result = correlated(bundle)
    assert result.assessment.timeline.withheld == (unseen("filler-history", "masked"),)
    assert of_type(result, "Observation")[0]["valueCodeableConcept"]["coding"][0]["code"] == "indeterminate"


@pytest.mark.parametrize("language", sorted(KNOWLEDGE.in_languages))
def test_it_is_named_in_the_language_of_the_report(language: str) -> None:
    result = correlated(sent("V01"), *HIDDEN, language=language)
    for told in KNOWLEDGE.in_language(language).words.withheld(HIDDEN):
        assert told in result.html
        assert told in " ".join(result.worksheet.split())


@pytest.mark.parametrize("case_id", CASE_IDS)
def test_hiding_a_class_never_turns_explained_into_not_explained(case_id: str) -> None:
    """Whatever a case tells of a filler, and wherever: without those resources, it is undecided, not denied."""
    explained = {"explained", "partly"}
    seen = attribution_of(correlated(sent(case_id)))
    for data in DataClass:
        types = frozenset(type_ for type_, held in CLASS_OF_TYPE.items() if held is data)
        if data is DataClass.PERSON:
            types = frozenset()  # a record without its Patient is nobody's
        hidden = attribution_of(correlated(sent(case_id, without=types), unseen(data)))
        assert hidden not in explained
        assert hidden != "not-explained" or seen not in explained, data


def attribution_of(result: StatelessResult) -> str | None:
    attribution = result.assessment.attribution
    return attribution.value if attribution else None
