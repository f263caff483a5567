"""This file asks every question of every cause, per finding, and ranks the causes: the differential.

Answers about the patient are worked out once and shared by all findings; causes that ask the same thing share what was
said (`questionnaire.py`). Only replies are counted here: sentences are written when somebody reads them. What was seen
is weighed as if it were all; what may be said of it while something is withheld stands beside it (`withheld.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from correlation.assessment import (
    Answer,
    Category,
    CauseAssessment,
    Change,
    FindingCourse,
    Reply,
    Strength,
    WhenRead,
)
from correlation.catalogue import Cause, Question
from correlation.category import FOR, ORDER, RANK, UNCOUNTED, Counts, category_of, weight_of_counts
from correlation.chart import NO_FINDING, Case, Chart, Judgement, Plan, Said, written
from correlation.withheld import allowed_category, but_withheld
from correlation.words import Words

NO_FINDING_CAUSE = "no_target_finding"
YES, NOT_KNOWN = Reply.YES, Reply.NOT_KNOWN

Rank = tuple[int, int, str]
BY_RANK = attrgetter("rank")  # as far as was seen


@dataclass(slots=True)  # neither frozen nor by keyword, only because dozens are made for one finding and that is slower
class Weighed:
    """One cause weighed for one finding: what was said to the whole questionnaire, and what it comes to for this cause.

    `category` is what it comes to as far as was seen, `shown` what may be said of it. They differ where something is
    withheld; then `limits` are the counts that `shown` rests on: of the replies that are known all the same, and of
    these with every reply from absence that is against the cause. `rank` sorts, as far as was seen: best category
    first, then the weight of the answers, then the id; the same facts, the same order.
    """

    cause: Cause
    plan: Plan
    said: Sequence[Said]
    counts: Counts
    category: Category
    rank: Rank
    shown: Category
    limits: tuple[Counts, Counts] | None = None

    def reply(self, question: str) -> Reply:
        """The reply to a question as far as was seen; not known where the cause does not ask it."""
        place = self.plan.places.get(question)
        return Reply.NOT_KNOWN if place is None else self.said[place].reply

    def replies(self) -> dict[str, Reply]:
        """All replies by question, as far as was seen."""
        return {question: self.said[place].reply for question, place in self.plan.places.items()}

    def because(self, question: str, words: Words) -> str:
        """Why the reply is what it is; empty where the cause does not ask it."""
        place = self.plan.places.get(question)
        return "" if place is None else written(self.said[place].because, words)

    def answers(self, words: Words) -> tuple[Answer, ...]:
        """What was said, in words."""
        return tuple(_answer(step.question, self.said[step.place], words) for step in self.plan.steps)

    def assessment(self, words: Words, *, would_change: tuple[Change, ...] = ()) -> CauseAssessment:
        """The cause as the report shows it."""
        cause = self.cause
        return CauseAssessment(
            cause=cause.id,
            name=cause.name,
            category=self.shown,
            answers=WhenRead(partial(self.answers, words)),
            would_change=would_change,
            next_step=cause.next_step,
            from_filler=cause.from_filler,
        )


def by_shown(item: Weighed) -> tuple[int, Rank]:
    """Sorts by the categories that may be said, and within one as far as was seen."""
    return RANK[item.shown], item.rank


class Weighing:
    """Weighs the causes of one chart, and remembers what was said about the patient."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._of_patient = [ask(chart, asked) for ask, asked in chart.memory.questionnaire.of_patient]

    def differential(self, finding: FindingCourse | None) -> tuple[Weighed, ...]:
        """Every cause of the knowledge base for one finding (or for a patient without any), best first."""
        said = self._of_patient + self._of_finding(finding)
        tallies = self._tallies(said)
        plans = self.chart.memory.questionnaire.plans
        found = [
            self._weigh(plan, said, tuple(tally), nothing_to_explain=finding is None)
            for plan, tally in zip(plans, tallies, strict=True)
        ]
        return tuple(sorted(found, key=BY_RANK))

    def over_all(
        self, differentials: Sequence[Sequence[Weighed]], *, by: Callable[[Weighed], Any] = BY_RANK
    ) -> tuple[Weighed, ...]:
        """Over all findings: each cause as it fits the finding it explains best, ranked."""
        best: dict[str, Weighed] = {}
        for differential in differentials:
            for item in differential:
                held = best.get(item.cause.id)
                if held is None or by(item) < by(held):
                    best[item.cause.id] = item
        return tuple(sorted(best.values(), key=by))

    def judgement(self, counts: Counts) -> Judgement:
        """What these counts of answers come to."""
        known = self.chart.memory.judgements.get(counts)
        if known is None:
            category = category_of(counts, rules=self.chart.knowledge.categories)
            known = Judgement(category, RANK[category], weight_of_counts(counts))
            self.chart.memory.judgements[counts] = known
        return known

    def category_with(self, item: Weighed, one: int, other: int = UNCOUNTED) -> Category:
        """The category that could be said of a cause if one or two answers more were counted, by places in `ORDER`."""
        if item.limits is None:
            return self._category_with(item.counts, one, other)
        known, doubted = item.limits
        return allowed_category(self._category_with(known, one, other), self._category_with(doubted, one, other))

    def _category_with(self, counts: Counts, one: int, other: int) -> Category:
        key = (counts, one, other)
        known = self.chart.memory.moved.get(key)
        if known is None:
            more = list(counts)
            more[one] += 1
            more[other] += 1
            more[UNCOUNTED] = 0
            known = self.chart.memory.moved[key] = self.judgement(tuple(more)).category
        return known

    def supposed(self, item: Weighed, replies: Mapping[str, Reply]) -> Weighed:
        """The same cause, as far as was seen, if some of its questions were answered so."""
        said, counts = list(item.said), list(item.counts)
        for step in item.plan.steps:
            reply = replies.get(step.question.id)
            if reply is None:
                continue
            before = said[step.place]
            if before.reply is not Reply.NOT_KNOWN:
                counts[step.yes_place if before.reply is YES else step.no_place] -= 1
            counts[step.yes_place if reply is YES else step.no_place] += 1
            said[step.place] = Said(reply, before.because, before.evidence)
        counts[UNCOUNTED] = 0
        category = self.judgement(tuple(counts)).category
        return Weighed(item.cause, item.plan, said, tuple(counts), category, item.rank, category)

    def _of_finding(self, finding: FindingCourse | None) -> list[Said]:
        questions = self.chart.memory.questionnaire.of_finding
        if finding is None:
            return [NO_FINDING] * len(questions)
        look = self.chart.looks[finding.key]
        case = Case(chart=self.chart, finding=finding, look=look, evidence=look.sources)
        return [ask(case, asked) for ask, asked in questions]

    def _tallies(self, said: Sequence[Said]) -> list[list[int]]:
        """The answers of each cause counted by strength: every reply is counted for all causes that ask for it."""
        questionnaire = self.chart.memory.questionnaire
        tallies = [[0] * len(ORDER) for _ in questionnaire.plans]
        for asked, answer in zip(questionnaire.asked, said, strict=True):
            reply = answer.reply
            if reply is not NOT_KNOWN:
                for cause, strength in asked.yes if reply is YES else asked.no:
                    tallies[cause][strength] += 1
        return tallies

    def _weigh(self, plan: Plan, said: Sequence[Said], counts: Counts, *, nothing_to_explain: bool) -> Weighed:
        category, order, weight = self.judgement(counts)
        cause = plan.cause
        if nothing_to_explain and cause.id != NO_FINDING_CAUSE:
            category, order = Category.UNASSESSABLE, RANK[Category.UNASSESSABLE]
        if not self.chart.timeline.withheld:
            return Weighed(cause, plan, said, counts, category, (order, -weight, cause.id), category)
        limits = _limits(plan, said, counts)
        known, doubted = (self.judgement(limit).category for limit in limits)
        shown = Category.UNASSESSABLE if category is Category.UNASSESSABLE else allowed_category(known, doubted)
        return Weighed(cause, plan, said, counts, category, (order, -weight, cause.id), shown, limits)


def _limits(plan: Plan, said: Sequence[Said], counts: Counts) -> tuple[Counts, Counts]:
    known, doubted = list(counts), list(counts)
    for step in plan.steps:
        if said[step.place].unsure:
            place = step.yes_place if said[step.place].reply is YES else step.no_place
            known[place] -= 1
            if place < len(FOR):
                doubted[place] -= 1
    known[UNCOUNTED] = 0
    return tuple(known), tuple(doubted)


def _answer(question: Question, said: Said, words: Words) -> Answer:
    reply = Reply.NOT_KNOWN if said.unsure else said.reply
    return Answer(
        question=question.id,
        ask=question.ask,
        reply=reply,
        strength=strength_of(question, reply),
        because=but_withheld(written(said.because, words), said.unsure, words),
        evidence=tuple(dict.fromkeys(said.evidence)) if len(said.evidence) > 1 else said.evidence,
        sources=question.sources,
    )


def strength_of(question: Question, reply: Reply) -> Strength:
    """What a reply weighs. Not known weighs nothing, for or against."""
    if reply is Reply.YES:
        return question.yes
    return question.no if reply is Reply.NO else Strength.NONE
