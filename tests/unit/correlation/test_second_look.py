"""What an adversarial reading found: places, times and looks that fit a filler by the letter and are not it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from correlation.assessment import Attribution, Category
from correlation.timeline import Certainty, PatientTimeline
from tests.builders import assessed, cause, condition, finding, injection, lab, timeline, when

EXPLAINED, NOT, OPEN = Attribution.EXPLAINED, Attribution.NOT_EXPLAINED, Attribution.INDETERMINATE


def answer(material: str, *, on: str = "2008", at: str = "malar both", **described: object) -> Attribution | None:
    facts = timeline(
        injections=[injection(material=material, product="", on=on, sites=(at,))],
        findings=[finding(at="malar left", **described)],  # type: ignore[arg-type]
    )
    return assessed(facts).attribution


@pytest.mark.parametrize("material", ["silicone", "pmma", "paraffin", "fat"])
def test_layered_or_zonal_calcium_is_never_a_late_filler(material: str) -> None:
    for form in ("laminated", "zonal"):
        assert answer(material, morphology=("round", "mass", form)) is not EXPLAINED


def test_a_rim_is_not_the_look_of_calcium_filler() -> None:
    assert answer("caha", on="2019-01-01", morphology=("nodular", "rim")) is NOT


def test_a_mass_alone_or_one_that_grows_leaves_it_open() -> None:
    assert answer("caha", on="2019-01-01", morphology=("mass",)) is OPEN
    assert answer("caha", on="2019-01-01", morphology=("mass", "plaque")) is EXPLAINED
    assert answer("silicone", morphology=("mass", "nodular")) is EXPLAINED
    assert answer("silicone", morphology=("mass", "nodular"), change="increased") is OPEN


@pytest.mark.parametrize("sign", ["scar", "haematoma", "projectile", "bone_destruction"])
def test_another_origin_in_the_words_of_the_report_leaves_it_open(sign: str) -> None:
    assert answer("caha", on="2019-01-01", signs=(sign,)) is OPEN


def test_bone_below_an_implant_may_be_resorbed() -> None:
    implant = finding(
        at="chin", kind="implant", tissue=None, morphology=(), density="high", on_bone=True, signs=("bone_erosion",)
    )
    surgery = injection(material="solid_implant", product="chin implant", on="2008", sites=("chin",))
    assert assessed(timeline(injections=[surgery], findings=[implant])).attribution is EXPLAINED
    assert answer("caha", on="2019-01-01", signs=("bone_erosion",)) is OPEN


def test_metal_threads_and_implants_are_typical_without_a_record() -> None:
    threads = timeline(findings=[finding(kind="metal", density="metallic", tissue=None, morphology=("linear",))])
    found = assessed(threads)
    assert (found.attribution, found.differential[0].cause) == (OPEN, "metallic_thread")


def test_silicone_may_reach_nodes_but_which_nodes_is_not_said() -> None:
    facts = timeline(
        injections=[injection(material="silicone", product="", on="2008", sites=("buttock both",))],
        findings=[finding(at="lymph_node", tissue="node", morphology=("clump",))],
    )
    assert assessed(facts).attribution is OPEN


def test_what_a_report_says_was_there_before_the_injection_is_not_the_filler() -> None:
    now = replace(finding(on="2019-10-15", change="stable"), exam=injection().source)
    told = replace(now, seen=when("2015"), exam=None, certainty=Certainty.HISTORY, change=None)
    facts = timeline(injections=[injection(on="2018-06-01")], findings=[now, told])
    assert assessed(facts).attribution is NOT


def test_a_year_that_does_not_precede_every_study_changes_nothing() -> None:
    now = replace(finding(on="2019-10-15", change="stable"), exam=injection().source)
    told = replace(now, seen=when("2019"), exam=None, certainty=Certainty.HISTORY, change=None)
    facts = timeline(injections=[injection(on="2019-02-01")], findings=[now, told])
    assert assessed(facts).attribution is EXPLAINED


def late(months: str, **described: object) -> PatientTimeline:
    return timeline(injections=[injection(on=months)], findings=[finding(**described)])  # type: ignore[arg-type]


def test_calcium_filler_that_is_too_old_gives_way_to_one_not_on_record() -> None:
    old = assessed(late("2013-01-01"))
    assert old.attribution is NOT
    assert cause(old, "unrecorded_caha_suspected").category is Category.PROBABLE
    between = assessed(late("2015-10-01", size_mm="15"))
    assert between.attribution is OPEN
    assert between.differential[0].cause == "unrecorded_caha_suspected"


def test_a_child_or_a_recorded_disease_is_not_asked_for_filler_first() -> None:
    assert cause(assessed(timeline(findings=[finding()], age=(9, 9))), "unrecorded_caha_suspected").category is (
        Category.UNLIKELY
    )
    ill = assessed(timeline(findings=[finding()], conditions=[condition("lupus_overlap")]))
    assert cause(ill, "unrecorded_caha_suspected").category is Category.POSSIBLE


def test_necrosis_with_net_like_vessels_is_urgent_without_kidney_failure() -> None:
    net = finding(at="thigh both", morphology=("reticular",), tissue="vessel")
    codes = [
        {item.code for item in assessed(timeline(findings=[net], conditions=held)).alerts}
        for held in ([condition("painful_necrosis")], [])
    ]
    assert "calciphylaxis_urgent" in codes[0]
    assert "calciphylaxis_urgent" not in codes[1]


def test_the_scrotum_is_no_place_of_fillers() -> None:
    found = assessed(timeline(findings=[finding(at="genital", morphology=("nodular",))], labs=[lab("calcium", "2.3")]))
    assert found.attribution is NOT
    assert found.differential[0].cause == "idiopathic_calcinosis"
