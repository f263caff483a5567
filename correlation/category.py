"""This file reads a cause's category from the combination table, as a clinician would fill it in by hand.

The mechanics are ACMG's (graded criteria, a table read from the top), the words WHO-UMC's; the counts are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from correlation.assessment import Category, Strength
from correlation.catalogue import CategoryRule

FOR = (Strength.STRONG_FOR, Strength.MODERATE_FOR, Strength.SUPPORTING_FOR)
AGAINST = (Strength.STRONG_AGAINST, Strength.MODERATE_AGAINST, Strength.SUPPORTING_AGAINST)
ORDER = (*FOR, *AGAINST, Strength.NONE)  # the last place is never counted
PLACE = {strength: index for index, strength in enumerate(ORDER)}
UNCOUNTED = PLACE[Strength.NONE]

WEIGHTS = (4, 2, 1, -4, -2, -1, 0)  # in the order of `ORDER`; for ranking inside a category only, never shown
LIKELY = (Category.PROBABLE, Category.POSSIBLE)
RANK = {Category.PROBABLE: 0, Category.POSSIBLE: 1, Category.UNASSESSABLE: 2, Category.UNLIKELY: 3}

Counts = tuple[int, ...]  # answers by strength, in the order of `ORDER`


def category_of(counts: Counts, *, rules: Sequence[CategoryRule]) -> Category:
    """The category that these counts of answers come to."""
    return category_rule(counts, rules=rules).category


def category_rule(counts: Counts, *, rules: Sequence[CategoryRule]) -> CategoryRule:
    """The first row whose conditions all hold; the last row has none, so there always is one."""
    named = {strength.value: counts[place] for strength, place in PLACE.items()}
    named["for"] = sum(counts[: len(FOR)])
    named["against"] = sum(counts[len(FOR) : -1])
    named["answered"] = named["for"] + named["against"]
    return next(rule for rule in rules if _holds(rule, named))


def _holds(rule: CategoryRule, counted: Mapping[str, int]) -> bool:
    enough = all(counted[name] >= least for name, least in rule.at_least.items())
    return enough and all(counted[name] <= most for name, most in rule.at_most.items())


def weight_of_counts(counts: Counts) -> int:
    """The sum by which causes of the same category are ranked; never shown."""
    return sum(count * weight for count, weight in zip(counts, WEIGHTS, strict=True))
