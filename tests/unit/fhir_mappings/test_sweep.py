"""Every public case and the Synthea records, read whole: the counts of what was found, and no unreadable resource."""

from __future__ import annotations

from pathlib import Path

import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.patient import one_patient
from fhir_mappings.patient_groups import patients_in
from fhir_mappings.timeline import Mapped, kept_from_bundle, timeline_from
from tests.unit.fhir_mappings.reading import TODAY

EXAMPLES = Path(__file__).parents[2] / "examples"

# case: injections with a known material that count, laboratory results, exams
CASES = {
    "V01": (2, 10, 2),
    "V01-text": (2, 10, 2),
    "V02": (2, 0, 1),
    "V03": (1, 6, 1),
    "V06": (1, 6, 1),
    "V07": (1, 6, 1),
    "V09": (1, 6, 1),
    "V11": (1, 6, 1),
    "V13": (1, 6, 1),
    "V14": (1, 7, 1),
    "V16": (1, 7, 1),
    "V17": (0, 6, 1),
    "V20": (0, 7, 1),
    "V22": (1, 6, 1),
    "V24": (1, 6, 1),
    "V25": (1, 0, 1),
    "V27": (1, 0, 1),
    "V28": (1, 0, 1),
    "V30": (1, 6, 1),
    "V32": (1, 0, 1),
    "V33": (0, 3, 1),
    "V34": (1, 6, 1),
    "V36": (0, 6, 1),
    "V37": (0, 10, 1),
    "V38": (1, 0, 1),
    "V40": (4, 6, 1),
    "V41": (1, 4, 1),
    "V43": (1, 5, 1),
}


def read(path: Path) -> Mapped:
    parsed = parse_bundle(path.read_bytes())
    group = one_patient(patients_in(parsed))
    return timeline_from(kept_from_bundle(parsed, entries=group.entries), as_of=TODAY, knowledge=load_knowledge())


@pytest.mark.parametrize("case", CASES)
def test_public_cases(case: str) -> None:
    found = read(EXAMPLES / "cases" / f"{case}.bundle.json")
    timeline = found.timeline
    counted = [one for one in timeline.injections if one.ignored_because is None and one.material != "unknown"]
    usable = [one for one in timeline.labs if one.unusable_because is None]
    assert (len(counted), len(usable), len(timeline.exams)) == CASES[case]
    assert all(exam.reported for exam in timeline.exams)
    assert timeline.findings
    assert not [issue for issue in found.issues if issue.severity == "error"]
    assert all(site.sides for injection in timeline.injections for site in injection.sites)


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "synthea").glob("*.json")), ids=lambda path: path.name.split("_")[0]
)
def test_synthea_records(path: Path) -> None:
    found = read(path)
    assert found.timeline.exams
    assert not any(exam.reported for exam in found.timeline.exams)
    assert found.timeline.injections == ()
    assert found.timeline.findings == ()
    assert {issue.severity for issue in found.issues} <= {"information"}


def test_the_order_of_the_entries_does_not_matter() -> None:
    parsed = parse_bundle((EXAMPLES / "cases" / "V40.bundle.json").read_bytes())
    kept = kept_from_bundle(parsed)
    one, other = (timeline_from(order, as_of=TODAY, knowledge=load_knowledge()) for order in (kept, kept[::-1]))
    assert one.timeline == other.timeline
