"""`make engine-speed`: what one assessment of 50 events costs, beside the goals of the contract (section 8).

A report and never a verdict: machines differ, and others may be busy on this one.
"""

import gc

from correlation.assess import assess
from correlation.assessment import Assessment
from correlation.knowledge_base import load_knowledge
from correlation.timeline import PatientTimeline
from tests.builders import AS_OF, NORMAL_LABS, exam, finding, injection, lab, timeline
from tests.performance.costs import cpu_seconds
from tests.performance.page import Figure

_ROUNDS = 200
_CALLS = 5  # few at a time, so that one round is hardly disturbed by others on this machine


def fifty_events() -> PatientTimeline:
    """Nine injections of three materials, 35 laboratory results, two studies with four mentions of two findings."""
    return timeline(
        injections=[injection(on=f"{2012 + place}", material=("caha", "ha", "plla")[place % 3]) for place in range(9)],
        findings=[
            finding(at=region, on=day)
            for region in ("zygomatic both", "malar both")
            for day in ("2021-10-15", "2022-01-01")
        ],
        labs=[lab(test, value, on=f"{2014 + year}-10-29") for year in range(7) for test, value in NORMAL_LABS.items()],
        exams=[exam(on="2021-10-15"), exam(on="2022-01-01")],
    )


def engine_milliseconds() -> dict[str, float]:
    """CPU time of one assessment, best of many rounds: without `would_change`, with it, and with all words read."""
    facts, knowledge = fifty_events(), load_knowledge()
    gc.freeze()  # as a worker does after loading

    def plain() -> Assessment:
        return assess(facts, knowledge, as_of=AS_OF, would_change=False)

    def full() -> Assessment:
        return assess(facts, knowledge, as_of=AS_OF)

    def read() -> object:
        return [list(cause.answers) for cause in full().differential]

    return {
        name: cpu_seconds(call, rounds=_ROUNDS, calls=_CALLS) * 1000
        for name, call in (("plain", plain), ("full", full), ("read", read))
    }


def engine_figures(milliseconds: dict[str, float]) -> list[Figure]:
    """What was measured, with its goals."""
    return [
        Figure.limit("engine, 50 events, without would_change", milliseconds["plain"], 1.0),
        Figure.limit("engine, 50 events, with would_change", milliseconds["full"], 5.0),
        Figure.limit("the same, and the sentences of every answer read", milliseconds["read"], None),
    ]


def main() -> int:
    """Measure and print."""
    for figure in engine_figures(engine_milliseconds()):
        print(figure.line().rstrip(" –"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
