"""This file says what would move a conclusion: each unknown question answered both ways, singles first, then pairs.

The smallest set counts: pairs are looked for only where no single answer moves anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, islice, product

from correlation.assessment import Attribution, Category, CauseAssessment, Change, Reply, Strength
from correlation.category import PLACE
from correlation.weighing import Weighed, Weighing

REPLIES = (Reply.YES, Reply.NO)
MOST_CHANGES = 4  # a reader wants the few that matter
MOST_PAIRED = 6  # unknown questions that are tried in pairs

Flip = tuple[tuple[int, Reply], ...]  # which answers, by their place, are answered how
Moved = tuple[Flip, Category]


def with_changes(weighing: Weighing, item: Weighed) -> CauseAssessment:
    """A cause as the report shows it, with what would move its category."""
    if item.counts[PLACE[Strength.STRONG_AGAINST]]:
        return item.assessment()  # decided: no missing fact can outweigh it
    moved = tuple(islice(_singles(weighing, item), MOST_CHANGES)) or tuple(islice(_pairs(weighing, item), MOST_CHANGES))
    return item.assessment(would_change=tuple(_cause_change(item, flip, category) for flip, category in moved))


def _open(item: Weighed) -> list[int]:
    return [place for place, said in enumerate(item.said) if said.reply is Reply.NOT_KNOWN]


def _weight(item: Weighed, place: int, reply: Reply) -> int:
    """Where this reply would be counted."""
    step = item.plan.steps[place]
    return step.yes_place if reply is Reply.YES else step.no_place


def _singles(weighing: Weighing, item: Weighed) -> Iterator[Moved]:
    places = _open(item)
    for reply in REPLIES:
        for place in places:
            category = weighing.category_with(item.counts, _weight(item, place, reply))
            if category is not item.category:
                yield ((place, reply),), category


def _pairs(weighing: Weighing, item: Weighed) -> Iterator[Moved]:
    for one, other in combinations(_open(item)[:MOST_PAIRED], 2):
        for first, second in product(REPLIES, repeat=2):
            category = weighing.category_with(item.counts, _weight(item, one, first), _weight(item, other, second))
            if category is not item.category:
                yield ((one, first), (other, second)), category


def _cause_change(item: Weighed, flip: Flip, category: Category) -> Change:
    questions = item.cause.questions
    told = " and ".join(f'"{questions[place].ask}" answered {reply.value}' for place, reply in flip)
    return Change(
        questions=tuple(questions[place].id for place, _ in flip),
        replies=tuple(reply for _, reply in flip),
        becomes=category.value,
        says=f"With {told}, {item.cause.name} would be {category.value} (now {item.category.value}).",
    )


def patient_changes(
    *,
    now: Attribution,
    asked: Mapping[str, str],
    attribute: Callable[[Mapping[str, Reply]], Attribution],
) -> tuple[Change, ...]:
    """What would move the patient's attribution. `asked` holds the unknown questions with their words."""
    return tuple(islice(_moving(tuple(asked), 1, now=now, asked=asked, attribute=attribute), MOST_CHANGES)) or tuple(
        islice(_moving(tuple(asked)[:MOST_PAIRED], 2, now=now, asked=asked, attribute=attribute), MOST_CHANGES)
    )


def _moving(
    names: tuple[str, ...],
    size: int,
    *,
    now: Attribution,
    asked: Mapping[str, str],
    attribute: Callable[[Mapping[str, Reply]], Attribution],
) -> Iterator[Change]:
    """The sets of so many questions whose answers would move the attribution, found one by one."""
    for chosen in combinations(names, size):
        for replies in product(REPLIES, repeat=size):
            becomes = attribute(dict(zip(chosen, replies, strict=True)))
            if becomes is not now:
                yield _patient_change(chosen, replies, becomes, now=now, asked=asked)


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
