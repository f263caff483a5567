"""This file answers questions of course: smaller, larger or the same on later studies."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import NO_FINDING, Case, Said
from correlation.questions.timing import finding_sources


def shrinks_on_follow_up(case: Case) -> Said:
    """Is it smaller on a later study? No when it has grown; not known without a comparison."""
    if case.finding is None or case.look is None:
        return NO_FINDING
    changes = case.look.changes
    evidence = finding_sources(case)
    if "increased" in changes:
        return Said(Reply.NO, case.finding.course, evidence)
    if not changes.isdisjoint({"decreased", "residual"}):
        return Said(Reply.YES, case.finding.course, evidence)
    return Said(Reply.NOT_KNOWN, "no later study says that it has shrunk or grown", evidence)


def grows_on_follow_up(case: Case) -> Said:
    """Has it grown on a later study? No when it is described as smaller or unchanged."""
    if case.finding is None or case.look is None:
        return NO_FINDING
    changes = case.look.changes
    evidence = finding_sources(case)
    if not changes.isdisjoint({"increased", "new"}):
        return Said(Reply.YES, case.finding.course, evidence)
    if changes:
        return Said(Reply.NO, case.finding.course, evidence)
    return Said(Reply.NOT_KNOWN, "no comparison with another study is described", evidence)
