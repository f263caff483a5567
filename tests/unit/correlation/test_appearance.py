"""Which material can look like what: calcium is intrinsic to one, late in a few, and never seen in hyaluronic acid."""

from __future__ import annotations

import pytest

from correlation.appearance import can_appear
from correlation.assess import read_chart
from correlation.assessment import Reply
from correlation.knowledge_base import load_knowledge
from correlation.timeline import ImagingFinding
from tests.builders import AS_OF, finding, timeline

YES, NO, UNKNOWN = Reply.YES, Reply.NO, Reply.NOT_KNOWN
METAL = finding(kind="metal", density="metallic")
CALCIUM = finding()
RIM = finding(morphology=("rim",))
DENSE = finding(kind="deposit", density="high")
FAT = finding(kind="deposit", density="fat")
SOFT = finding(kind="deposit", density="soft_tissue")
BLANK = finding(kind="deposit", density=None, morphology=())
MRI = finding(kind="deposit", density=None, modality="MR")
CYST = finding(kind="cyst", density=None)
MASS = finding(kind="mass", density=None)
IMPLANT = finding(kind="implant", density=None)


@pytest.mark.parametrize(
    ("material", "seen", "months", "reply"),
    [
        ("metal_threads", METAL, 12, YES),
        ("caha", METAL, 12, NO),
        ("unknown", METAL, 12, UNKNOWN),
        ("unknown", CALCIUM, 12, UNKNOWN),
        ("metal_threads", CALCIUM, 12, NO),
        ("caha", CALCIUM, 0, YES),
        ("ha", CALCIUM, 120, NO),
        ("plla", CALCIUM, 120, NO),
        ("silicone", CALCIUM, 96, YES),
        ("silicone", CALCIUM, 6, UNKNOWN),
        ("silicone", CALCIUM, None, UNKNOWN),
        ("paag", CALCIUM, 96, UNKNOWN),
        ("paag", RIM, 96, YES),
        ("paag", RIM, 6, UNKNOWN),
        ("eptfe", RIM, 96, YES),
        ("caha", DENSE, 3, YES),
        ("silicone", DENSE, 60, YES),
        ("eptfe", DENSE, 60, UNKNOWN),
        ("ha", DENSE, 3, NO),
        ("fat", FAT, 30, YES),
        ("ha", FAT, 30, NO),
        ("caha", SOFT, 3, UNKNOWN),
        ("ha", SOFT, 3, YES),
        ("ha", BLANK, 3, YES),
        ("caha", MRI, 3, YES),
        ("ha", MRI, 3, YES),
        ("paag", CYST, 30, YES),
        ("caha", CYST, 30, NO),
        ("plla", CYST, 30, UNKNOWN),
        ("silicone", MASS, 96, YES),
        ("caha", MASS, 12, UNKNOWN),
        ("solid_implant", IMPLANT, 96, YES),
        ("silicone", IMPLANT, 96, UNKNOWN),
        ("ha", IMPLANT, 12, NO),
    ],
)
def test_material_and_look(material: str, seen: ImagingFinding, months: int | None, reply: Reply) -> None:
    knowledge = load_knowledge()
    chart = read_chart(timeline(findings=[seen]), knowledge, as_of=AS_OF)
    span = None if months is None else (months, months)
    said, because = can_appear(knowledge.materials[material], next(iter(chart.looks.values())), months=span)
    assert said is reply
    assert because
