"""This file answers questions of course: smaller, larger or the same on later studies."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import Asked, Case, Said


def shrinks_on_follow_up(case: Case, asked: Asked) -> Said:
    """Is it smaller on a later study? No when it has grown; not known without a comparison."""
    finding, look = case.finding, case.look
    changes = look.changes
    evidence = case.evidence
    if "increased" in changes:
        return Said(Reply.NO, lambda _: finding.course, evidence)
    if not changes.isdisjoint({"decreased", "residual"}):
        return Said(Reply.YES, lambda _: finding.course, evidence)
    return Said(Reply.NOT_KNOWN, "course.not_told", evidence)


def grows_on_follow_up(case: Case, asked: Asked) -> Said:
    """Has it grown on a later study? No when it is described as smaller or unchanged."""
    finding, look = case.finding, case.look
    changes = look.changes
    evidence = case.evidence
    if not changes.isdisjoint({"increased", "new"}):
        return Said(Reply.YES, lambda _: finding.course, evidence)
    if changes:
        return Said(Reply.NO, lambda _: finding.course, evidence)
    return Said(Reply.NOT_KNOWN, "course.not_compared", evidence)
