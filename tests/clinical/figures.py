"""The figures of the evidence card: `make score-cases` scores every case anew and keeps them with the package.

Counts only. A set is scored as `tests.clinical.scoring` reads an answer; nothing is left out.
"""

import json
import sys
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from correlation.knowledge_base import load_knowledge
from tests.clinical.scoring import Score, score
from tests.examples import CASE_IDS, CONSTRUCTED_IDS, case_expected

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "fhir_mappings" / "evidence" / "figures.json"
READING = ROOT / "tests" / "gold" / "recorded.toml"
SETS = {"public": CASE_IDS, "constructed": CONSTRUCTED_IDS}
READING_COUNTS = ("sentences", "fully_right", "without_finding", "false_alarms")
MEASURES = ("finding", "site", "sides", "certainty", "morphology", "density", "change")
Json = dict[str, Any]


def recorded() -> Json:
    """The figures that the card shows."""
    found: Json = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def scored(on: date) -> Json:
    """The figures as they come out now."""
    knowledge = load_knowledge()
    return {
        "scored_on": on.isoformat(),
        "knowledge_edition": knowledge.edition,
        "knowledge_digest": knowledge.digest,
        "sets": {name: _set([score(case_id) for case_id in case_ids]) for name, case_ids in SETS.items()},
        "reading": reading(),
    }


def reading() -> list[Json]:
    """How well report text was read, from the record of the gold set: counts without the rates made of them."""
    parts = tomllib.loads(READING.read_text(encoding="utf-8"))
    return [
        {
            "part": part,
            "language": language,
            "date": found["date"],
            **{name: found[name] for name in READING_COUNTS},
            "measures": {
                name: {column: found["measures"][name][column] for column in ("expected", "read", "agreed")}
                for name in MEASURES
            },
        }
        for part, languages in sorted(parts.items())
        for language, found in sorted(languages.items())
    ]


def _set(scores: list[Score]) -> Json:
    expected = {one.case_id: case_expected(one.case_id) for one in scores}
    return {
        **_counts(scores),
        "by_cause": _classes(scores, {id_: str(one["expected_top"]) for id_, one in expected.items()}),
        "by_attribution": _classes(scores, {one.case_id: one.expected_attribution for one in scores}),
        "misses": [
            {"case": one.case_id, "cause": expected[one.case_id]["expected_top"], "wrong": _wrong(one)}
            for one in scores
            if not one.is_right
        ],
    }


def _classes(scores: list[Score], class_of: dict[str, str]) -> Json:
    classes = sorted(set(class_of.values()))
    return {name: _counts([one for one in scores if class_of[one.case_id] == name]) for name in classes}


def _counts(scores: Iterable[Score]) -> Json:
    listed = list(scores)
    return {
        "cases": len(listed),
        "right": sum(one.is_right for one in listed),
        "top": sum(one.top for one in listed),
        "order": sum(one.order for one in listed),
        "attribution": sum(one.attribution_right for one in listed),
        "alerts": sum(one.alerts for one in listed),
        "unsafe": sum(one.unsafe for one in listed),
    }


def _wrong(one: Score) -> list[str]:
    marks = {"top": one.top, "order": one.order, "attribution": one.attribution_right, "alerts": one.alerts}
    return [*(name for name, good in marks.items() if not good), *(["unsafe"] if one.unsafe else [])]


def main() -> int:
    """Score, keep, and print the table per class."""
    figures = scored(datetime.now(UTC).date())
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, found in figures["sets"].items():
        print(f"{name}: {found['right']} of {found['cases']} right, unsafe {found['unsafe']}")
        for kind in ("by_cause", "by_attribution"):
            for one, counts in found[kind].items():
                print(
                    f"  {one:34} right {counts['right']:3} of {counts['cases']:3}   top {counts['top']:3}   "
                    f"attribution {counts['attribution']:3}   alerts {counts['alerts']:3}"
                )
        for miss in found["misses"]:
            print(f"  missed: {miss['case']} ({', '.join(miss['wrong'])})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
