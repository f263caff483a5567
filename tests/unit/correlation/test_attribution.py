"""One test for each rule of attribution (contract, section 4), and for what must never be called explained."""

from __future__ import annotations

import pytest

from correlation.timeline import Certainty, FillerInjection, ImagingFinding, PatientTimeline
from tests.builders import NOT_PERMITTED, assessed, condition, exam, finding, injection, labs, ref, timeline


def said(facts: PatientTimeline) -> str | None:
    answer = assessed(facts)
    return answer.attribution.value if answer.attribution else None


def one(filler: FillerInjection, seen: ImagingFinding | None = None) -> str | None:
    return said(timeline(injections=[filler], findings=[seen or finding()], labs=labs()))


def test_no_imaging_gives_no_report() -> None:
    answer = assessed(timeline(injections=[injection()], exams=()))
    assert answer.attribution is None
    assert answer.missing[0] == "imaging with its report"


def test_imaging_without_report_is_indeterminate() -> None:
    answer = assessed(timeline(injections=[injection()], exams=[exam(reported=False)]))
    assert answer.attribution is not None
    assert answer.attribution.value == "indeterminate"
    assert "its report was not available" in answer.conclusion


def test_reported_without_target_is_not_applicable() -> None:
    assert said(timeline(exams=[exam()])) == "not-applicable"
    assert said(timeline(findings=[finding(kind="distractor")])) == "not-applicable"


def test_time_place_material_and_form_together_explain() -> None:
    assert one(injection()) == "explained"


@pytest.mark.parametrize(
    ("filler", "seen"),
    [
        (injection(on="2019-12-01"), finding()),
        (injection(sites=("hand_dorsum both",)), finding()),
        (injection(material="ha"), finding()),
        (injection(), finding(tissue="muscle", morphology=("plaque",))),
        (injection(), finding(tissue="dermis", morphology=("punctate",))),
        (injection(), finding(tissue=None, morphology=("tram_track",))),
        (injection(), finding(on_bone=True)),
        (injection(on="2005"), finding()),
        (injection(), finding(kind="metal", density="metallic")),
    ],
)
def test_contrary_evidence_is_not_explained(filler: FillerInjection, seen: ImagingFinding) -> None:
    assert one(filler, seen) == "not-explained"


@pytest.mark.parametrize(
    ("filler", "seen"),
    [
        (injection(on=None), finding()),
        (injection(on="2019"), finding()),
        (injection(on="2019-10-15"), finding()),
        (injection(sites=()), finding()),
        (injection(material="unknown", product=""), finding()),
        (injection(sites=("malar left",)), finding(at="malar right")),
        (injection(sites=("malar both",)), finding(at="temporal both")),
        (injection(), finding(change="increased")),
        (injection(), finding(signs=("bone_destruction",))),
        (injection(), finding(at="malar", tissue=None, morphology=())),
        (injection(on="2015"), finding()),
        (injection(material="silicone", on="2019-06-01"), finding(morphology=("nodular",))),
        (injection(), finding(kind="mass")),
    ],
)
def test_what_is_not_known_stays_undecided(filler: FillerInjection, seen: ImagingFinding) -> None:
    assert one(filler, seen) == "indeterminate"


def test_one_of_two_sides_injected_is_partly() -> None:
    assert one(injection(sites=("malar left",))) == "partly"


def test_left_and_right_on_two_days_cover_both_sides() -> None:
    fillers = [injection(sites=("malar left",)), injection(on="2019-01-01", sites=("malar right",))]
    assert said(timeline(injections=fillers, findings=[finding()], labs=labs())) == "explained"


def test_one_finding_fits_and_another_does_not_is_partly() -> None:
    seen = [finding(), finding(at="finger_pulp both", tissue=None, morphology=("nodular",))]
    assert said(timeline(injections=[injection()], findings=seen, labs=labs())) == "partly"


@pytest.mark.parametrize("changed", [{"calcium": "2.80"}, {"phosphate": "2.2"}])
def test_an_abnormal_result_asks_for_another_cause(changed: dict[str, str]) -> None:
    assert said(timeline(injections=[injection()], findings=[finding()], labs=labs(**changed))) == "partly"


def test_a_mere_raised_pth_does_not() -> None:
    assert said(timeline(injections=[injection()], findings=[finding()], labs=labs(pth="9"))) == "explained"


def test_a_tumour_on_record_at_the_site_is_indeterminate() -> None:
    facts = timeline(
        injections=[injection()], findings=[finding()], conditions=[condition("malignancy", at="malar left")]
    )
    assert said(facts) == "indeterminate"
    elsewhere = timeline(
        injections=[injection()], findings=[finding()], conditions=[condition("malignancy", at="breast left")]
    )
    assert said(elsewhere) == "explained"


def test_two_products_or_dates_in_one_record_are_indeterminate() -> None:
    source = ref("Procedure")
    products = [injection(source=source), injection(source=source, material="ha", product="Restylane")]
    answer = assessed(timeline(injections=products, findings=[finding()]))
    assert answer.attribution is not None
    assert (answer.attribution.value, [alert.code for alert in answer.alerts]) == (
        "indeterminate",
        ["product_conflict"],
    )
    dates = [injection(source=source), injection(source=source, on="2018-12-01")]
    answer = assessed(timeline(injections=dates, findings=[finding()]))
    assert answer.attribution is not None
    assert (answer.attribution.value, [alert.code for alert in answer.alerts]) == ("indeterminate", ["date_conflict"])


def test_the_whole_face_is_a_place_only_with_a_typical_form() -> None:
    assert one(injection(sites=("face",))) == "explained"
    assert one(injection(sites=("face",)), finding(tissue=None, morphology=())) == "indeterminate"
    assert one(injection(sites=("face",)), finding(at="parotid left", tissue="gland")) == "not-explained"


def test_without_a_record_only_a_typical_pattern_is_undecided() -> None:
    assert said(timeline(findings=[finding()])) == "indeterminate"
    assert said(timeline(findings=[finding(at="finger_pulp both")])) == "not-explained"
    assert said(timeline(findings=[finding(certainty=Certainty.POSSIBLE, at="finger_pulp left")])) == "indeterminate"
    assert said(timeline(findings=[finding(at="finger_pulp both")], withheld=(NOT_PERMITTED,))) == "indeterminate"


def test_a_probable_disease_with_nothing_on_record_is_not_explained() -> None:
    panel = labs(calcium="2.4", phosphate="2.9", pth="60", creatinine="700")
    facts = timeline(findings=[finding()], labs=panel, conditions=[condition("esrd")])
    assert said(facts) == "not-explained"


def test_a_finding_older_than_the_first_injection_is_never_the_filler() -> None:
    seen = [finding(on="2017-03-01"), finding(on="2019-10-15")]
    assert said(timeline(injections=[injection()], findings=seen, labs=labs())) == "not-explained"


def test_a_distinct_layer_never_hides_behind_the_filler_of_the_region() -> None:
    seen = [finding(), finding(tissue="vessel", morphology=("tram_track",))]
    assert said(timeline(injections=[injection()], findings=seen, labs=labs())) == "partly"


def test_mri_deposit_of_a_filler_without_calcium_is_explained_by_it() -> None:
    seen = finding(kind="deposit", modality="MR", density=None, morphology=("clump",))
    assert one(injection(material="ha"), seen) == "explained"
    assert one(injection(), seen) == "explained"
