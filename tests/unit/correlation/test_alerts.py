"""Alerts: each with a record that raises it and one that does not; the newest value counts, and says when it is old."""

from __future__ import annotations

import pytest

from correlation.alerts import CONDITIONS
from correlation.assessment import Attribution
from correlation.knowledge_base import load_knowledge
from correlation.timeline import Certainty, PatientTimeline
from tests.builders import assessed, condition, exam, finding, injection, lab, labs, ref, timeline

FOUND = [finding()]
SOURCE = ref("Procedure")

RAISED = [
    (
        "vascular_occlusion_emergency",
        timeline(
            injections=[injection(on="2019-10-10")], conditions=[condition("vascular_occlusion", onset="2019-10-11")]
        ),
    ),
    ("hypercalcaemia", timeline(findings=FOUND, labs=labs(calcium="2.70"))),
    ("hypercalcaemia_urgent", timeline(findings=FOUND, labs=labs(calcium="3.10"))),
    ("hypercalcaemia_urgent", timeline(findings=FOUND, labs=[lab("calcium_ionised", "1.6")])),
    (
        "hypercalcaemia_urgent",
        timeline(findings=FOUND, labs=labs(calcium="2.7"), conditions=[condition("hypercalcaemia_symptoms")]),
    ),
    (
        "calciphylaxis_urgent",
        timeline(findings=[finding(morphology=("reticular",), tissue="vessel")], labs=[lab("egfr", "9")]),
    ),
    ("calciphylaxis_urgent", timeline(findings=FOUND, conditions=[condition("calciphylaxis")])),
    (
        "malignancy_history_at_site",
        timeline(findings=FOUND, conditions=[condition("malignancy", at="zygomatic left", active=False)]),
    ),
    ("infection_suspected", timeline(findings=[finding(signs=("abscess",))])),
    ("infection_suspected", timeline(findings=FOUND, conditions=[condition("skin_infection", at="cheek")])),
    ("fop_avoid_biopsy", timeline(findings=FOUND, conditions=[condition("fop")])),
    ("fop_avoid_biopsy", timeline(findings=[finding(kind="ossification", tissue="muscle")], age=(8, 8))),
    ("child_not_filler_first", timeline(findings=FOUND, age=(17, 17))),
    (
        "laterality_conflict",
        timeline(injections=[injection(sites=("malar left",))], findings=[finding(at="malar right")]),
    ),
    ("date_conflict", timeline(injections=[injection(on="2019")], findings=FOUND)),
    ("date_conflict", timeline(injections=[injection(on="2030")], findings=FOUND)),
    (
        "product_conflict",
        timeline(injections=[injection(source=SOURCE), injection(source=SOURCE, material="ha")], findings=FOUND),
    ),
    ("unknown_material", timeline(injections=[injection(material="unknown")], findings=FOUND)),
]


@pytest.mark.parametrize(("code", "facts"), RAISED)
def test_raised(code: str, facts: PatientTimeline) -> None:
    alert = next(item for item in assessed(facts).alerts if item.code == code)
    assert alert.says
    assert alert.evidence
    assert alert.sources


def test_every_alert_is_tested_and_has_its_words() -> None:
    assert set(CONDITIONS) == set(load_knowledge().alerts) == {code for code, _ in RAISED}


def test_a_calm_record_raises_none() -> None:
    assert assessed(timeline(injections=[injection()], findings=FOUND, labs=labs())).alerts == ()


CALCIUM_OF_14_MG_DL = lab("calcium", "3.49", on="2026-10-20")
NO_FILLER_NO_FINDING = {
    "laboratory alone": timeline(exams=(), labs=[CALCIUM_OF_14_MG_DL]),
    "imaging reported, nothing described": timeline(labs=[CALCIUM_OF_14_MG_DL]),
    "imaging without its report": timeline(exams=[exam(reported=False)], labs=[CALCIUM_OF_14_MG_DL]),
    "looked for and absent": timeline(findings=[finding(certainty=Certainty.NEGATED)], labs=[CALCIUM_OF_14_MG_DL]),
    "only a filler that was not injected": timeline(
        injections=[injection(ignored="not done")], labs=[CALCIUM_OF_14_MG_DL]
    ),
}


@pytest.mark.parametrize("facts", NO_FILLER_NO_FINDING.values(), ids=NO_FILLER_NO_FINDING)
def test_alerts_need_neither_finding_nor_filler_nor_imaging(facts: PatientTimeline) -> None:
    answer = assessed(facts)
    assert [item.code for item in answer.alerts] == ["hypercalcaemia_urgent", "hypercalcaemia"]
    assert answer.attribution in (None, Attribution.NOT_APPLICABLE, Attribution.INDETERMINATE)
    assert answer.conclusion.startswith("Act on the alerts first")


@pytest.mark.parametrize("concept", ["calciphylaxis", "fop"])
def test_a_disease_on_record_alerts_without_a_finding(concept: str) -> None:
    assert assessed(timeline(exams=(), conditions=[condition(concept)])).alerts


def test_a_child_without_a_finding_is_no_alert() -> None:
    assert assessed(timeline(age=(5, 5))).alerts == ()


def test_old_values_are_said_to_be_old_and_the_newest_counts() -> None:
    old = assessed(timeline(findings=FOUND, labs=labs(calcium="3.4")))
    assert "old value" in old.alerts[0].says
    newer = [*labs(calcium="3.4"), lab("calcium", "2.3", on="2026-10-20")]
    assert assessed(timeline(findings=FOUND, labs=newer)).alerts == ()


def test_the_newest_calcium_counts_whatever_was_measured() -> None:
    """An ionised calcium goes before a total one of the same day, never before a newer one."""
    ionised = lab("calcium_ionised", "1.2", on="2026-06-01")
    newer = assessed(timeline(labs=[ionised, lab("calcium", "3.8", on="2026-11-01")]))
    assert "hypercalcaemia_urgent" in {alert.code for alert in newer.alerts}
    same_day = assessed(timeline(labs=[ionised, lab("calcium", "3.8", on="2026-06-01")]))
    assert same_day.alerts == ()


def test_an_albumin_of_another_year_corrects_no_calcium() -> None:
    calcium = lab("calcium", "2.6", on="2026-11-01")  # high as measured; normal with this albumin
    assert assessed(timeline(labs=[calcium, lab("albumin", "55", on="2026-10-20")])).alerts == ()
    assert assessed(timeline(labs=[calcium, lab("albumin", "55", on="2024-10-20")])).alerts != ()


def test_occlusion_long_after_the_injection_is_no_emergency() -> None:
    facts = timeline(injections=[injection(on="2018")], conditions=[condition("acute_stroke", onset="2019-10-11")])
    assert assessed(facts).alerts == ()
