"""This file reads, from the answers of a filler's cause, whether that filler explains a finding: fits, cannot, unsure.

Safety first: it fits only where time, place, material and form all speak for it and nothing speaks against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from correlation.assessment import Category, Reply
from correlation.words import Words

# Questions whose "no" means that the filler certainly cannot have made the finding.
DECIDING = ("injected_before_finding", "site_in_reach", "material_fits_appearance", "form_fits", "still_expected")
# Questions that all need a "yes" before a filler explains a finding.
NEEDED = ("filler_recorded", "injected_before_finding", "site_in_reach", "material_fits_appearance")
# At least one of these has to say that the finding has the look of the filler, not only that nothing is contrary.
LOOKS = ("form_fits", "shrinks_on_follow_up", "both_sides", "density_is")


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


# The sentence that says why a verdict is unsure, by the question that settled it.
REASONS: Mapping[str, str] = {
    "injected_before_finding": "verdict.order",
    "site_in_reach": "verdict.place",
    "material_fits_appearance": "verdict.material",
    "form_fits": "verdict.form",
    "still_expected": "verdict.late",
    "side_matches": "verdict.side",
    "shrinks_on_follow_up": "verdict.grown",
}


def judge(
    replies: Mapping[str, Reply], *, category: Category, partly_covered: bool, broad: bool, mirrored: bool = False
) -> Judged:
    """Whether the filler of this cause explains the finding, from the replies by question.

    `partly_covered`: both sides are described and one was injected. `broad`: the place is only a wide word such as
    "face", so the form has to be typical. `mirrored`: the sides described are the very sides that were injected, which
    is a look of a filler too ("symmetric to injection", clinical summary, section 3).
    """
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
    typical = mirrored or any(replies.get(question) is Reply.YES for question in LOOKS)
    if not typical or (broad and replies.get("form_fits") is not Reply.YES):
        return Judged(Verdict.UNSURE, "form_fits")
    if category not in (Category.PROBABLE, Category.POSSIBLE):
        return Judged(Verdict.UNSURE, "")
    return Judged(Verdict.FITS, "injected_before_finding")


def reason_of(judged: Judged, because: Callable[[str, Words], str], words: Words) -> str:
    """The clause that gives a verdict's reason. `because` gives what was said to a question, empty if not asked."""
    if not judged.question:
        return words.say("verdict.weight_against")
    told = because(judged.question, words)
    reason = REASONS.get(judged.question, "") if judged.verdict is Verdict.UNSURE else ""
    if not reason:
        return told
    return f"{words.say(reason)} ({told})" if told else words.say(reason)
