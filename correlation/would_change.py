"""This file says what would move a conclusion: each unknown question answered both ways, singles first, then pairs.

The smallest set counts: pairs are looked for only where no single answer moves anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, islice, product

from correlation.assessment import Attribution, Category, CauseAssessment, Change, Reply, Strength
from correlation.category import PLACE
from correlation.chart import Step
from correlation.weighing import Weighed, Weighing
from correlation.words import Words

REPLIES = (Reply.YES, Reply.NO)
MOST_CHANGES = 4  # a reader wants the few that matter
MOST_PAIRED = 6  # unknown questions that are tried in pairs
# Counts where a report states it; few do, so that it is not stated is no missing fact.
ONLY_WHERE_TOLD = frozenset({"attenuation_fits"})

Flip = tuple[tuple[Step, Reply], ...]  # which questions are answered how
Moved = tuple[Flip, Category]


def with_changes(weighing: Weighing, item: Weighed) -> CauseAssessment:
    """A cause as the report shows it, with what would move its category."""
    if item.counts[PLACE[Strength.STRONG_AGAINST]]:
        return item.assessment(weighing.chart.words)  # decided: no missing fact can outweigh it
    moved = tuple(islice(_singles(weighing, item), MOST_CHANGES)) or tuple(islice(_pairs(weighing, item), MOST_CHANGES))
    words = weighing.chart.words
    changes = tuple(_cause_change(item, flip, category, words) for flip, category in moved)
    return item.assessment(words, would_change=changes)


def _open(item: Weighed) -> list[Step]:
    return [
        step
        for step in item.plan.steps
        if item.said[step.place].reply is Reply.NOT_KNOWN and step.question.id not in ONLY_WHERE_TOLD
    ]


def _weight(step: Step, reply: Reply) -> int:
    """Where this reply would be counted."""
    return step.yes_place if reply is Reply.YES else step.no_place


def _singles(weighing: Weighing, item: Weighed) -> Iterator[Moved]:
    steps = _open(item)
    for reply in REPLIES:
        for step in steps:
            category = weighing.category_with(item, _weight(step, reply))
            if category is not item.shown:
                yield ((step, reply),), category


def _pairs(weighing: Weighing, item: Weighed) -> Iterator[Moved]:
    for one, other in combinations(_open(item)[:MOST_PAIRED], 2):
        for first, second in product(REPLIES, repeat=2):
            category = weighing.category_with(item, _weight(one, first), _weight(other, second))
            if category is not item.shown:
                yield ((one, first), (other, second)), category


def _cause_change(item: Weighed, flip: Flip, category: Category, words: Words) -> Change:
    told = words.joined(_answered(step.question.ask, reply, words) for step, reply in flip)
    return Change(
        questions=tuple(step.question.id for step, _ in flip),
        replies=tuple(reply for _, reply in flip),
        becomes=category.value,
        says=words.say(
            "change.cause",
            answers=told,
            cause=item.cause.name,
            becomes=words.term(category.value),
            now=words.term(item.shown.value),
        ),
    )


def when_seen(*, now: Attribution, as_seen: Attribution, words: Words) -> tuple[Change, ...]:
    """What the patient's attribution would be if nothing contrary stood in what is withheld, where that moves it."""
    if now is as_seen:
        return ()
    says = words.say("change.when_seen", becomes=words.term(as_seen.value), now=words.term(now.value))
    return (Change(questions=(), replies=(), becomes=as_seen.value, says=says),)


def patient_changes(
    *,
    now: Attribution,
    asked: Mapping[str, str],
    attribute: Callable[[Mapping[str, Reply]], Attribution],
    words: Words,
) -> tuple[Change, ...]:
    """What would move the patient's attribution. `asked` holds the unknown questions with their words."""
    return tuple(
        islice(_moving(tuple(asked), 1, now=now, asked=asked, attribute=attribute, words=words), MOST_CHANGES)
    ) or tuple(
        islice(
            _moving(tuple(asked)[:MOST_PAIRED], 2, now=now, asked=asked, attribute=attribute, words=words), MOST_CHANGES
        )
    )


def _moving(
    names: tuple[str, ...],
    size: int,
    *,
    now: Attribution,
    asked: Mapping[str, str],
    attribute: Callable[[Mapping[str, Reply]], Attribution],
    words: Words,
) -> Iterator[Change]:
    """The sets of so many questions whose answers would move the attribution, found one by one."""
    for chosen in combinations(names, size):
        for replies in product(REPLIES, repeat=size):
            becomes = attribute(dict(zip(chosen, replies, strict=True)))
            if becomes is not now:
                yield _patient_change(chosen, replies, becomes, now=now, asked=asked, words=words)


def _patient_change(
    chosen: tuple[str, ...],
    replies: tuple[Reply, ...],
    becomes: Attribution,
    *,
    now: Attribution,
    asked: Mapping[str, str],
    words: Words,
) -> Change:
    told = words.joined(_answered(asked[name], reply, words) for name, reply in zip(chosen, replies, strict=True))
    return Change(
        questions=chosen,
        replies=replies,
        becomes=becomes.value,
        says=words.say("change.patient", answers=told, becomes=words.term(becomes.value), now=words.term(now.value)),
    )


def _answered(ask: str, reply: Reply, words: Words) -> str:
    return words.say("change.answered", question=ask, reply=words.term(reply.value))
