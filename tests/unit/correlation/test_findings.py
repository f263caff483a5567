"""What a radiologist wrote on several studies becomes findings, whatever the order of the facts."""

from __future__ import annotations

from correlation.assess import read_chart
from correlation.assessment import FindingCourse
from correlation.knowledge_base import load_knowledge
from correlation.timeline import Certainty, ImagingFinding
from tests.builders import AS_OF, finding, timeline


def courses(*mentions: ImagingFinding) -> tuple[FindingCourse, ...]:
    return read_chart(timeline(findings=mentions), load_knowledge(), as_of=AS_OF).findings


def keys(*mentions: ImagingFinding) -> list[str]:
    return [item.key for item in courses(*mentions)]


def test_coded_and_written_words_of_one_exam_merge() -> None:
    assert keys(finding(), finding(tissue=None, morphology=("linear",))) == ["deposit:malar"]


def test_later_studies_are_the_same_finding_with_its_course() -> None:
    found = courses(finding(), finding(on="2021-10-14", change="decreased", certainty=Certainty.HISTORY))
    assert len(found) == 1
    assert found[0].course == "seen on 2019-10-15, 2021-10-14; smaller on 2021-10-14"
    assert str(found[0].first_seen) == "2019-10-15"


def test_negated_and_distracting_words_are_no_findings() -> None:
    assert keys(finding(certainty=Certainty.NEGATED), finding(kind="distractor")) == []


def test_a_deposit_on_mri_at_the_place_of_a_calcification_is_the_calcification() -> None:
    found = courses(finding(), finding(on="2019-11-14", kind="deposit", modality="MR", density=None))
    assert [item.kind for item in found] == ["calcification"]


def test_words_without_a_place_belong_to_the_findings_there_are() -> None:
    unsited = finding(on="2019-11-14", kind="deposit", at=None, tissue=None, morphology=(), density=None)
    assert [len(item.seen) for item in courses(finding(), finding(at="buccal both"), unsited)] == [2, 2]
    assert keys(unsited) == ["deposit:unsited"]


def test_a_wide_area_joins_the_named_regions_within_it() -> None:
    assert keys(finding(at="face both"), finding(at="buccal both"), finding(at="hand_dorsum left")) == [
        "deposit:buccal",
        "deposit:hand_dorsum",
    ]
    assert keys(finding(at="face both")) == ["deposit:face"]


def test_other_layers_and_kinds_stay_apart() -> None:
    assert keys(finding(), finding(tissue="vessel"), finding(tissue="dermis"), finding(kind="mass")) == [
        "deposit:malar",
        "deposit:malar:dermis",
        "deposit:malar:vessel",
        "mass:malar",
    ]
    assert keys(finding(kind="calculus", tissue=None), finding(tissue="duct")) == ["deposit:malar:duct"]


def test_words_without_tissue_join_the_only_layer_of_their_region() -> None:
    assert keys(finding(tissue="dermis"), finding(tissue=None)) == ["deposit:malar:dermis"]


def test_undated_studies_do_not_stop_the_count() -> None:
    found = courses(finding(on=None))
    assert found[0].first_seen is None
    assert found[0].course == "date of the study not known"
