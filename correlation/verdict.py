"""This file reads, from the answers of a filler's cause, whether that filler explains a finding: fits, cannot, unsure.

Safety first: it fits only where time, place, material and form all speak for it and nothing speaks against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from correlation.assessment import Category, Reply

# Questions whose "no" means that the filler certainly cannot have made the finding.
DECIDING = ("injected_before_finding", "site_in_reach", "material_fits_appearance", "form_fits", "still_expected")
# Questions that all need a "yes" before a filler explains a finding.
NEEDED = ("filler_recorded", "injected_before_finding", "site_in_reach", "material_fits_appearance")
# At least one of these has to say that the finding has the look of the filler, not only that nothing is contrary.
LOOKS = ("form_fits", "shrinks_on_follow_up", "both_sides", "density_is")
WEIGHT_AGAINST = "more speaks against it than for it"


class Verdict(StrEnum):
    """What one filler is to one finding."""

    FITS = "fits"
    PARTLY = "partly"  # one of two sides was injected
    UNSURE = "unsure"
    CANNOT = "cannot"
    ABSENT = "absent"  # no such filler is on record


class Judged(NamedTuple):
    """A verdict and the question that settled it; no question where the weight of all answers did."""

    verdict: Verdict
    question: str


REASONS: Mapping[str, str] = {
    "injected_before_finding": "the order of injection and finding is not known",
    "site_in_reach": "the place of the injection does not decide it",
    "material_fits_appearance": "whether this material can look like this is not known",
    "form_fits": "its form does not decide it",
    "still_expected": "it is later than such deposits are usually seen",
    "side_matches": "the side on record and the side described disagree",
    "shrinks_on_follow_up": "it has grown without a new injection on record",
}


def judge(replies: Mapping[str, Reply], *, category: Category, partly_covered: bool, broad: bool) -> Judged:
    """Whether the filler of this cause explains the finding, from the replies by question.

    `partly_covered`: both sides are described and one was injected. `broad`: the place is only a wide word such as
    "face", so the form has to be typical.
    """
    if replies.get("filler_recorded") is Reply.NO:
        return Judged(Verdict.ABSENT, "filler_recorded")
    for question in DECIDING:
        if replies.get(question) is Reply.NO:
            return Judged(Verdict.CANNOT, question)
    for question in NEEDED:
        if replies.get(question) is not Reply.YES:
            return Judged(Verdict.UNSURE, question)
    if replies.get("side_matches") is Reply.NO:
        return Judged(Verdict.PARTLY if partly_covered else Verdict.UNSURE, "side_matches")
    for question in ("shrinks_on_follow_up", "off_bone"):
        if replies.get(question) is Reply.NO:
            return Judged(Verdict.UNSURE, question)
    if replies.get("still_expected", Reply.YES) is not Reply.YES:
        return Judged(Verdict.UNSURE, "still_expected")
    typical = any(replies.get(question) is Reply.YES for question in LOOKS)
    if not typical or (broad and replies.get("form_fits") is not Reply.YES):
        return Judged(Verdict.UNSURE, "form_fits")
    if category not in (Category.PROBABLE, Category.POSSIBLE):
        return Judged(Verdict.UNSURE, "")
    return Judged(Verdict.FITS, "injected_before_finding")


def reason_of(judged: Judged, because: Callable[[str], str]) -> str:
    """The clause that gives a verdict's reason. `because` gives what was said to a question, empty if not asked."""
    if not judged.question:
        return WEIGHT_AGAINST
    told = because(judged.question)
    reason = REASONS.get(judged.question, "") if judged.verdict is Verdict.UNSURE else ""
    return f"{reason} ({told})" if reason and told else reason or told
