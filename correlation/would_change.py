"""This file says what would move a conclusion: each unknown question answered both ways, singles first, then pairs.

The smallest set counts: pairs are looked for only where no single answer moves anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

from correlation.assessment import Answer, Attribution, Category, CauseAssessment, Change, Reply, Strength
from correlation.catalogue import Cause
from correlation.category import PLACE, Counts
from correlation.weighing import Weighing, strength_of

REPLIES = (Reply.YES, Reply.NO)
MOST_CHANGES = 4  # a reader wants the few that matter
MOST_PAIRED = 6  # unknown questions that are tried in pairs

Flip = tuple[tuple[int, Reply], ...]  # which answers, by their place, are answered how


def with_changes(weighing: Weighing, item: CauseAssessment) -> CauseAssessment:
    """A cause, as it was just weighed, with what would move its category."""
    cause = weighing.chart.knowledge.causes[item.cause]
    start = weighing.counts[id(item)]
    if start[PLACE[Strength.STRONG_AGAINST]]:
        return item  # decided: no missing fact can outweigh it

    def becomes(flip: Flip) -> Category:
        return weighing.category(_flipped(start, cause, flip))

    changes = tuple(
        _cause_change(item, flip, category) for flip, category in _smallest(item.answers, cause, becomes, item.category)
    )
    return replace(item, would_change=changes) if changes else item


def _flipped(start: Counts, cause: Cause, flip: Flip) -> Counts:
    counts = list(start)
    for index, reply in flip:
        counts[PLACE[strength_of(cause.questions[index], reply)]] += 1
    counts[-1] = 0
    return tuple(counts)


def _smallest(
    answers: Sequence[Answer], cause: Cause, becomes: Callable[[Flip], Category], now: Category
) -> list[tuple[Flip, Category]]:
    open_ones = [index for index, answer in enumerate(answers) if answer.reply is Reply.NOT_KNOWN]
    for flips in (_singles(open_ones), _pairs(open_ones[:MOST_PAIRED])):
        moved = [(flip, category) for flip in flips if (category := becomes(flip)) is not now]
        if moved:
            return moved[:MOST_CHANGES]
    return []


def _singles(places: Sequence[int]) -> Iterator[Flip]:
    for reply in REPLIES:
        for place in places:
            yield ((place, reply),)


def _pairs(places: Sequence[int]) -> Iterator[Flip]:
    for one, other in combinations(places, 2):
        for first, second in product(REPLIES, repeat=2):
            yield ((one, first), (other, second))


def _cause_change(item: CauseAssessment, flip: Flip, category: Category) -> Change:
    told = " and ".join(f'"{item.answers[index].ask}" answered {reply.value}' for index, reply in flip)
    return Change(
        questions=tuple(item.answers[index].question for index, _ in flip),
        replies=tuple(reply for _, reply in flip),
        becomes=category.value,
        says=f"With {told}, {item.name} would be {category.value} (now {item.category.value}).",
    )


def patient_changes(
    *,
    now: Attribution,
    asked: Mapping[str, str],
    attribute: Callable[[Mapping[str, Reply]], Attribution],
) -> tuple[Change, ...]:
    """What would move the patient's attribution. `asked` holds the unknown questions with their words."""
    names = tuple(asked)
    for size in (1, 2):
        found = []
        for chosen in combinations(names[: MOST_PAIRED if size > 1 else len(names)], size):
            for replies in product(REPLIES, repeat=size):
                becomes = attribute(dict(zip(chosen, replies, strict=True)))
                if becomes is not now:
                    found.append(_patient_change(chosen, replies, becomes, now=now, asked=asked))
        if found:
            return tuple(found[:MOST_CHANGES])
    return ()


def _patient_change(
    chosen: tuple[str, ...],
    replies: tuple[Reply, ...],
    becomes: Attribution,
    *,
    now: Attribution,
    asked: Mapping[str, str],
) -> Change:
    told = " and ".join(f'"{asked[name]}" answered {reply.value}' for name, reply in zip(chosen, replies, strict=True))
    return Change(
        questions=chosen,
        replies=replies,
        becomes=becomes.value,
        says=f"With {told}, the attribution would be {becomes.value} (now {now.value}).",
    )
