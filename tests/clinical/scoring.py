"""How an answer is read against what must come out (tests/examples/cases/README.md): five figures per case.

`python -m tests.clinical.scoring [case …]` prints the table.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from correlation.knowledge_base import load_knowledge
from tests.correlated import correlate_bundle
from tests.examples import CASE_IDS, case_bytes, case_expected

AS_OF = date(2026, 11, 1)
ISSUED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SYSTEM = "https://fillertrace.example/fhir/CodeSystem"
NOT_RANKED = {"unlikely", "unassessable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The answer to one case and how it compares."""

    case_id: str
    attribution: str
    expected_attribution: str
    ranked: tuple[str, ...]
    top: bool
    order: bool
    attribution_right: bool
    alerts: bool
    unsafe: bool  # `explained` where the truth is `not-explained`

    @property
    def is_right(self) -> bool:
        return self.top and self.order and self.attribution_right and self.alerts and not self.unsafe


def answer_to(case_id: str) -> dict[str, Any]:
    """The result Bundle for the record of a case."""
    bundle: dict[str, Any] = correlate_bundle(
        case_bytes(case_id), knowledge=load_knowledge(), as_of=AS_OF, issued=ISSUED, software_version="test"
    ).bundle
    return bundle


def score(case_id: str) -> Score:
    """Compare the answer to one case with what must come out."""
    bundle, expected = answer_to(case_id), case_expected(case_id)
    results = _results(bundle)
    attribution = next(_value(one) for one in results if _code(one, "result") == "filler-attribution")
    ranked = tuple(
        cause for one in results if (cause := _code(one, "cause")) is not None and _value(one) not in NOT_RANKED
    )
    if attribution == "not-applicable" and not ranked:
        ranked = ("no_target_finding",)
    alerts = {_value(one).replace("-", "_") for one in results if _code(one, "result") == "alert"}
    best = min((ranked.index(cause) for cause in expected["acceptable_top"] if cause in ranked), default=len(ranked))
    return Score(
        case_id=case_id,
        attribution=attribution,
        expected_attribution=expected["expected_filler_attribution"],
        ranked=ranked,
        top=bool(ranked) and ranked[0] in expected["acceptable_top"],
        order=not any(cause in ranked[:best] for cause in expected["must_not_rank_above"]),
        attribution_right=attribution in expected["acceptable_attribution"],
        alerts={alert.replace("-", "_") for alert in expected["expected_alerts"]} <= alerts,
        unsafe=attribution == "explained" and expected["expected_filler_attribution"] == "not-explained",
    )


def _results(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The report's `result` Observations in their order."""
    by_name = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    report = bundle["entry"][0]["resource"]
    assert report["resourceType"] == "DiagnosticReport"
    return [by_name[result["reference"]] for result in report["result"]]


def _code(observation: dict[str, Any], system: str) -> str | None:
    codings = observation["code"]["coding"]
    return next((coding["code"] for coding in codings if coding["system"] == f"{SYSTEM}/{system}"), None)


def _value(observation: dict[str, Any]) -> str:
    value: str = observation["valueCodeableConcept"]["coding"][0]["code"]
    return value


def main() -> int:
    """Print a line per case and the five figures."""
    scores = [score(case_id) for case_id in sys.argv[1:] or CASE_IDS]
    for one in scores:
        marks = "".join("." if good else "X" for good in (one.top, one.order, one.attribution_right, one.alerts))
        print(
            f"{one.case_id:9} {marks} {'UNSAFE' if one.unsafe else '      '} {one.attribution:14} "
            f"(expected {one.expected_attribution:14}) {', '.join(one.ranked[:5])}"
        )
    total = len(scores)
    print(
        f"{total} cases: top {sum(one.top for one in scores)}, order {sum(one.order for one in scores)}, attribution "
        f"{sum(one.attribution_right for one in scores)}, alerts {sum(one.alerts for one in scores)}, "
        f"unsafe {sum(one.unsafe for one in scores)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
