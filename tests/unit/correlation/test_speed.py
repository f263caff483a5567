"""Prints how long the engine takes on a timeline of 50 events; a figure, not a verdict (machines differ)."""

from __future__ import annotations

from time import perf_counter

import pytest

from tests.builders import NORMAL_LABS, assessed, exam, finding, injection, lab, timeline


def test_speed_of_fifty_events(capsys: pytest.CaptureFixture[str]) -> None:
    facts = timeline(
        injections=[injection(on=f"{2012 + place}", material=("caha", "ha", "plla")[place % 3]) for place in range(9)],
        findings=[
            finding(at=region, on=day)
            for region in ("zygomatic both", "malar both")
            for day in ("2021-10-15", "2022-01-01")
        ],
        labs=[lab(test, value, on=f"{2014 + year}-10-29") for year in range(7) for test, value in NORMAL_LABS.items()],
        exams=[exam(on="2021-10-15"), exam(on="2022-01-01")],
    )
    assessed(facts)
    times = []
    for _ in range(10):
        start = perf_counter()
        assessed(facts)
        times.append(perf_counter() - start)
    with capsys.disabled():
        print(f"\nengine with would_change, 50 events: {min(times) * 1000:.2f} ms")
