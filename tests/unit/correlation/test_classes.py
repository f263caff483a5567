"""Timelines by hand for the classes of the public cases: each says what must come out, whatever the names."""

from __future__ import annotations

from correlation.assessment import Assessment
from correlation.timeline import Certainty, ImagingFinding
from tests.builders import (
    assessed,
    cause,
    condition,
    finding,
    injection,
    lab,
    labs,
    medication,
    timeline,
    top,
)

PUBLISHED = (
    injection(on="2018-10-15", sites=("malar both", "labial_commissure both", "chin both")),
    injection(on="2019-01-13", sites=("malar both", "labial_commissure both", "chin both", "temporal both")),
)


def attribution(answer: Assessment) -> str | None:
    return answer.attribution.value if answer.attribution else None


def plaques(*regions: str, on: str = "2019-10-15") -> list[ImagingFinding]:
    return [finding(on=on, at=region, on_bone=False) for region in regions]


def test_the_published_case_is_explained_by_the_recorded_filler() -> None:
    mri = finding(
        on="2019-11-14",
        kind="deposit",
        at=None,
        tissue=None,
        morphology=(),
        density=None,
        modality="MR",
        signs=("hyperintense",),
    )
    seen = [*plaques("zygomatic both", "infraorbital both", "buccal both"), finding(at="face both"), mri]
    answer = assessed(timeline(injections=PUBLISHED, findings=seen, labs=labs()))
    assert (attribution(answer), top(answer), answer.alerts) == ("explained", "filler_caha", ())
    assert [item.finding.key for item in answer.findings] == [
        "deposit:buccal",
        "deposit:infraorbital",
        "deposit:zygomatic",
    ]
    assert all(item.injections == PUBLISHED for item in answer.findings)


def test_a_thin_residue_after_three_years_is_still_explained_and_the_labs_are_named_as_missing() -> None:
    seen = [
        finding(on="2021-10-14", at=region, morphology=("linear",), change="decreased")
        for region in ("malar both", "buccal both")
    ]
    answer = assessed(timeline(injections=PUBLISHED, findings=seen))
    assert (attribution(answer), top(answer)) == ("explained", "filler_caha")
    assert "phosphate" in answer.missing
    assert "phosphate" in answer.conclusion


def test_two_days_after_the_injection_the_material_is_seen() -> None:
    seen = [finding(on="2025-07-15", kind="deposit", density="high", morphology=("linear", "clump"))]
    answer = assessed(timeline(injections=[injection(on="2025-07-13")], findings=seen, labs=labs("2025-06-25")))
    assert (attribution(answer), top(answer)) == ("explained", "filler_caha")


def test_a_stone_in_a_duct_is_never_a_filler_of_the_hands() -> None:
    seen = [finding(on="2016-07-22", at="wharton_duct left", tissue="duct", morphology=("nodular",), count="single")]
    absent = finding(on="2016-07-22", at="face", certainty=Certainty.NEGATED)
    answer = assessed(
        timeline(
            injections=[injection(on="2016-01-04", sites=("hand_dorsum both",))],
            findings=[*seen, absent],
            labs=labs("2016-07-19"),
        )
    )
    assert (attribution(answer), top(answer)) == ("not-explained", "sialolith")


def test_an_injection_after_the_finding_explains_nothing() -> None:
    seen = [finding(on="2016-02-19", tissue="dermis", morphology=("punctate",), size_mm="2")]
    answer = assessed(timeline(injections=[injection(on="2016-04-19")], findings=seen, labs=labs("2016-02-09")))
    assert (attribution(answer), top(answer)) == ("not-explained", "osteoma_cutis")
    assert cause(answer, "filler_caha").category.value == "unlikely"


def test_hyaluronic_acid_does_not_explain_calcium() -> None:
    answer = assessed(
        timeline(
            injections=[injection(on="2024-01-29", material="ha")],
            findings=plaques("malar both", on="2024-05-28"),
            labs=labs("2024-05-23"),
        )
    )
    assert (attribution(answer), top(answer)) == ("not-explained", "unrecorded_caha_suspected")


def test_both_kidney_failure_and_the_filler_are_said() -> None:
    seen = [
        finding(on="2024-12-18", morphology=("linear",)),
        finding(on="2024-12-18", at="facial_artery", tissue="vessel", morphology=("tram_track",)),
        finding(on="2024-12-18", at="tmj both", tissue="periarticular", morphology=("amorphous",)),
    ]
    panel = labs("2024-12-11", calcium="2.64", phosphate="2.55", pth="104", creatinine="600")
    answer = assessed(
        timeline(
            injections=[injection(on="2024-02-22")],
            findings=seen,
            labs=panel,
            conditions=[condition("esrd")],
            age=(61, 61),
        )
    )
    assert attribution(answer) == "partly"
    assert {item.cause for item in answer.differential[:2]} == {"filler_caha", "metastatic_ckd"}
    assert "hypercalcaemia" in {alert.code for alert in answer.alerts}


def test_tiny_foci_of_the_skin_are_not_a_filler() -> None:
    seen = [
        finding(on="2018-06-22", at=region, tissue="dermis", morphology=("punctate",), size_mm="1.5")
        for region in ("forehead both", "malar both")
    ]
    answer = assessed(
        timeline(
            injections=[injection(on="2018-03-24", sites=("nasolabial both",))],
            findings=seen,
            labs=labs("2018-06-16"),
            age=(67, 67),
        )
    )
    assert (attribution(answer), top(answer)) == ("not-explained", "osteoma_cutis")


def test_one_side_injected_and_the_same_side_found() -> None:
    seen = [finding(on="2026-03-16", at="buccal left", morphology=("clump",))]
    answer = assessed(
        timeline(
            injections=[injection(on="2025-05-20", sites=("face", "buccal left"))],
            findings=seen,
            labs=labs("2026-03-11"),
        )
    )
    assert (attribution(answer), top(answer)) == ("explained", "filler_caha")


def test_records_that_were_never_done_do_not_count() -> None:
    never = [injection(on="2023-05-28", ignored="entered in error"), injection(on="2023-07-17", ignored="not done")]
    answer = assessed(
        timeline(injections=never, findings=plaques("malar both", on="2023-12-14"), labs=labs("2023-12-09"))
    )
    assert (attribution(answer), top(answer)) == ("not-explained", "unrecorded_caha_suspected")
    assert {fact.why for fact in answer.unused} == {"entered in error", "not done"}


def test_a_typical_pattern_without_a_record_asks_first() -> None:
    past = condition("malignancy", at="breast left", active=False)
    answer = assessed(
        timeline(
            findings=plaques("zygomatic both", "buccal both", on="2019-05-27"),
            labs=labs("2019-06-10"),
            conditions=[past],
        )
    )
    assert (attribution(answer), top(answer), answer.alerts) == ("indeterminate", "unrecorded_caha_suspected", ())
    assert "ask for filler history" in answer.conclusion
    assert "explained" in {change.becomes for change in answer.would_change}


def test_missing_labs_do_not_prevent_explained() -> None:
    seen = [finding(on="2022-06-17", morphology=("linear",))]
    answer = assessed(timeline(injections=[injection(on="2021-02-02")], findings=seen))
    assert attribution(answer) == "explained"
    assert answer.missing[:2] == ("calcium (total or ionised)", "phosphate")
    assert "partly" in {change.becomes for change in answer.would_change}


def test_of_four_products_only_the_fitting_one_contributes() -> None:
    others = [
        injection(on="2024-03-25", material="ha", sites=("nasolabial both",)),
        injection(on="2024-10-11", material="plla", sites=("temporal both",)),
        injection(on="2024-11-30", material="absorbable_threads", sites=("jawline both",)),
    ]
    fitting = injection(on="2024-08-12")
    seen = [finding(on="2025-04-29", tissue=None, morphology=("clump",))]
    answer = assessed(timeline(injections=[*others, fitting], findings=seen, labs=labs("2025-04-22")))
    assert (attribution(answer), top(answer)) == ("explained", "filler_caha")
    assert answer.findings[0].injections == (fitting,)
    assert {fact.source for fact in answer.unused} == {item.source for item in others}


def test_granulomas_of_silicone_explain_the_calcium_and_the_alert_stands() -> None:
    seen = [
        finding(
            on="2017-09-01", at="buttock both", tissue="fascia", morphology=("nodular", "reticular"), density="high"
        )
    ]
    panel = [
        *labs("2017-08-25", calcium="3.27", pth="0.6", vitamin_d_25="45"),
        lab("vitamin_d_125", "269", on="2017-08-25"),
    ]
    filler = injection(on="2010", material="silicone", sites=("buttock both",))
    answer = assessed(timeline(injections=[filler], findings=seen, labs=panel))
    assert (attribution(answer), top(answer)) == ("explained", "filler_granuloma_hypercalcaemia")
    assert "hypercalcaemia_urgent" in {alert.code for alert in answer.alerts}


def test_calciphylaxis_is_never_reassured_by_a_filler() -> None:
    seen = [finding(on="2023-03-16", at="thigh both", modality="DX", tissue="vessel", morphology=("reticular",))]
    answer = assessed(
        timeline(
            injections=[injection(on="2022-08-28", sites=("thigh both",))],
            findings=seen,
            conditions=[condition("esrd"), condition("painful_necrosis")],
            medications=[medication("warfarin")],
        )
    )
    assert (attribution(answer), top(answer)) == ("not-explained", "calciphylaxis")
    assert [alert.code for alert in answer.alerts] == ["calciphylaxis_urgent"]
