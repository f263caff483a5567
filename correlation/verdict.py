"""This file reads, from the answers of a filler's cause, whether that filler explains a finding: fits, cannot, unsure.

Safety first: it fits only where time, place, material and form all speak for it and nothing speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from correlation.assessment import Answer, Category, Reply

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict with the clause that gives its reason."""

    verdict: Verdict
    because: str


REASONS: Mapping[str, str] = {
    "injected_before_finding": "the order of injection and finding is not known",
    "site_in_reach": "the place of the injection does not decide it",
    "material_fits_appearance": "whether this material can look like this is not known",
    "form_fits": "its form does not decide it",
    "still_expected": "it is later than such deposits are usually seen",
    "side_matches": "the side on record and the side described disagree",
    "shrinks_on_follow_up": "it has grown without a new injection on record",
}


def judge(answers: Sequence[Answer], *, category: Category, partly_covered: bool, broad: bool) -> Judged:
    """Whether the filler of this cause explains the finding.

    `partly_covered`: both sides are described and one was injected. `broad`: the place is only a wide word such as
    "face", so the form has to be typical.
    """
    replies = {answer.question: answer.reply for answer in answers}
    because = {answer.question: answer.because for answer in answers}
    if replies.get("filler_recorded") is Reply.NO:
        return Judged(verdict=Verdict.ABSENT, because=because["filler_recorded"])
    for question in DECIDING:
        if replies.get(question) is Reply.NO:
            return Judged(verdict=Verdict.CANNOT, because=because[question])
    for question in NEEDED:
        if replies.get(question) is not Reply.YES:
            return Judged(verdict=Verdict.UNSURE, because=_reason(question, because))
    if replies.get("side_matches") is Reply.NO:
        if partly_covered:
            return Judged(verdict=Verdict.PARTLY, because=because["side_matches"])
        return Judged(verdict=Verdict.UNSURE, because=_reason("side_matches", because))
    for question in ("shrinks_on_follow_up", "off_bone"):
        if replies.get(question) is Reply.NO:
            return Judged(verdict=Verdict.UNSURE, because=_reason(question, because))
    if replies.get("still_expected", Reply.YES) is not Reply.YES:
        return Judged(verdict=Verdict.UNSURE, because=_reason("still_expected", because))
    typical = [question for question in LOOKS if replies.get(question) is Reply.YES]
    if not typical or (broad and replies.get("form_fits") is not Reply.YES):
        return Judged(verdict=Verdict.UNSURE, because=_reason("form_fits", because))
    if category not in (Category.PROBABLE, Category.POSSIBLE):
        return Judged(verdict=Verdict.UNSURE, because="more speaks against it than for it")
    return Judged(verdict=Verdict.FITS, because=because["injected_before_finding"])


def _reason(question: str, because: Mapping[str, str]) -> str:
    told = because.get(question, "")
    reason = REASONS.get(question, "")
    return f"{reason} ({told})" if reason and told else reason or told
