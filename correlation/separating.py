"""This file names the next thing to find out: the unknown question whose answer separates the two best causes most.

Both causes have to be probable or possible; else there is nothing to separate. For each unknown question the weights of
a yes and of a no are compared between the two: the farther the reply moves them apart, the better it separates. Among
equals goes first what is asked of the patient (history, laboratory) before what may need another study, then what both
causes ask, then the order in which the better cause, and after it the other, asks. It never delays what is missing of
calcium, phosphate, creatinine and PTH, nor any alert; the sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from correlation.assessment import Reply, SeparatingQuestion
from correlation.category import LIKELY, WEIGHTS
from correlation.chart import Questionnaire, Step
from correlation.weighing import NO_FINDING_CAUSE, Weighed
from correlation.words import Words

CIRCULAR = frozenset({"disease_recorded", "named_in_report"})  # "is it known to be this?" is no test: asked last
Separation = tuple[int, Step]  # weight of a yes for the first less that for the second, less the same of a no


def separating_question(
    ranked: Sequence[Weighed], differentials: Sequence[Sequence[Weighed]], questionnaire: Questionnaire, words: Words
) -> SeparatingQuestion | None:
    """What to find out next to tell the two best causes apart; `None` where there are no two, or nothing would tell.

    `ranked` are the causes over all findings, best first; `differentials` those of each finding. The two compete for
    one finding: a filler in the cheek and calcified arteries beside it may both be true.
    """
    pair = next((found for item in ranked if len(found := _rivals(item, differentials)) > 1), None)
    if pair is None:
        return None
    first, second = pair[:2]
    of_patient = len(questionnaire.of_patient)
    separation, step = max(
        _separations(first, second),
        key=lambda found: (
            found[1].question.id not in CIRCULAR,
            abs(found[0]),
            found[1].place < of_patient,
            _both_ask(found[1], first, second),
        ),
        default=(0, None),
    )
    if step is None or not separation:
        return None
    asking = first if step.place in first.plan.places.values() else second
    for_first = Reply.YES if separation > 0 else Reply.NO
    for_second = Reply.NO if separation > 0 else Reply.YES
    told = (_tells(reply, step.place, first, second, words) for reply in (Reply.YES, Reply.NO))
    return SeparatingQuestion(
        question=step.question.id,
        ask=step.question.ask,
        cause=asking.cause.id,
        first_cause=first.cause.id,
        second_cause=second.cause.id,
        favours_first=for_first,
        favours_second=for_second,
        says=words.say(
            "change.separating",
            first=words.inside(first.cause.name),
            second=words.inside(second.cause.name),
            cause=words.inside(asking.cause.name),
            question=step.question.ask,
            tells="; ".join(told),
        ),
    )


def _rivals(item: Weighed, differentials: Sequence[Sequence[Weighed]]) -> list[Weighed]:
    """The likely causes, best first, of the finding that `item` was weighed for; none where it is not likely."""
    if item.shown not in LIKELY:
        return []
    home = next((found for found in differentials if any(one is item for one in found)), ())
    return [one for one in home if one.shown in LIKELY and one.cause.id != NO_FINDING_CAUSE]


def _tells(reply: Reply, place: int, first: Weighed, second: Weighed, words: Words) -> str:
    """What one reply says: it speaks for the cause it lifts, else against the one it lowers, else it leaves both."""
    lifts, other = _weight(first, place, reply), _weight(second, place, reply)
    said = words.term(reply.value)
    if lifts == other:
        return words.say("change.tells_nothing", reply=said)
    better, worse = (first, second) if lifts > other else (second, first)
    speaks_for = max(lifts, other) > 0
    cause = words.inside((better if speaks_for else worse).cause.name)
    return words.say("change.tells_for" if speaks_for else "change.tells_against", reply=said, cause=cause)


def _weight(item: Weighed, place: int, reply: Reply) -> int:
    """What a reply would weigh for this cause; nought where it does not ask, or knows."""
    return sum(
        WEIGHTS[step.yes_place if reply is Reply.YES else step.no_place]
        for step in _unknown(item)
        if step.place == place
    )


def _separations(first: Weighed, second: Weighed) -> Iterator[Separation]:
    """Every question that one of the two has no answer to, in the order of asking, with how far it separates them."""
    steps = {step.place: step for item in (second, first) for step in _unknown(item)}
    order = dict.fromkeys(step.place for item in (first, second) for step in _unknown(item))
    for place in order:
        swing = _swing(first, place) - _swing(second, place)
        yield swing, steps[place]


def _unknown(item: Weighed) -> list[Step]:
    return [step for step in item.plan.steps if item.said[step.place].reply is Reply.NOT_KNOWN]


def _swing(item: Weighed, place: int) -> int:
    """How much farther a yes than a no would lift this cause; nought where it does not ask, or knows."""
    return sum(WEIGHTS[step.yes_place] - WEIGHTS[step.no_place] for step in _unknown(item) if step.place == place)


def _both_ask(step: Step, first: Weighed, second: Weighed) -> bool:
    return all(step.place in item.plan.places.values() for item in (first, second))
