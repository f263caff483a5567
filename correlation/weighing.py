"""This file asks every question of every cause, per finding, and ranks the causes: the differential.

Answers about the patient are worked out once and shared by all findings; causes that ask the same thing share what was
said. The order of the questions of a cause is prepared once per edition of the knowledge base (`Plan`). Only replies
are counted here: sentences are written when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from correlation.assessment import (
    Answer,
    Answers,
    Category,
    CauseAssessment,
    Change,
    FindingCourse,
    Reply,
    Strength,
)
from correlation.catalogue import Cause, Question
from correlation.category import ORDER, PLACE, RANK, Counts, category_of, weight_of_counts
from correlation.chart import Case, Chart, Judgement, Plan, Said, Step, written
from correlation.questions import OF_MATERIALS, PER_FINDING, QUESTIONS

NO_FINDING_CAUSE = "no_target_finding"
YES, NO = Reply.YES, Reply.NO

Rank = tuple[int, int, str]


@dataclass(slots=True, kw_only=True)  # not frozen, only because dozens are made for one finding and that is slower
class Weighed:
    """One cause weighed for one finding: what was said to its questions, in their order, and what it comes to.

    `rank` sorts: best category first, then the weight of the answers, then the id; the same facts, the same order.
    """

    cause: Cause
    plan: Plan
    said: Sequence[Said]
    counts: Counts
    category: Category
    rank: Rank

    def reply(self, question: str) -> Reply:
        """The reply to a question; not known where the cause does not ask it."""
        place = self.plan.places.get(question)
        return Reply.NOT_KNOWN if place is None else self.said[place].reply

    def replies(self) -> dict[str, Reply]:
        """All replies by question."""
        return {question: self.said[place].reply for question, place in self.plan.places.items()}

    def because(self, question: str) -> str:
        """Why the reply is what it is; empty where the cause does not ask it."""
        place = self.plan.places.get(question)
        return "" if place is None else written(self.said[place].because)

    def answers(self) -> tuple[Answer, ...]:
        """What was said, in words."""
        return tuple(_answer(step.question, said) for step, said in zip(self.plan.steps, self.said, strict=True))

    def assessment(self, *, would_change: tuple[Change, ...] = ()) -> CauseAssessment:
        """The cause as the report shows it."""
        cause = self.cause
        return CauseAssessment(
            cause=cause.id,
            name=cause.name,
            category=self.category,
            answers=Answers(self.answers),
            would_change=would_change,
            next_step=cause.next_step,
            from_filler=cause.from_filler,
        )


class Weighing:
    """Weighs the causes of one chart, and remembers what was said about the patient."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._of_patient: dict[int, Said] = {}  # by the meaning of the question

    def differential(self, finding: FindingCourse | None) -> tuple[Weighed, ...]:
        """Every cause of the knowledge base for one finding (or for a patient without any), best first."""
        of_finding: dict[int, Said] = {}
        found = [self._weigh(cause, finding, of_finding) for cause in self.chart.knowledge.causes.values()]
        return tuple(sorted(found, key=_rank))

    def over_all(self, differentials: Sequence[Sequence[Weighed]]) -> tuple[Weighed, ...]:
        """Over all findings: each cause as it fits the finding it explains best, ranked."""
        best: dict[str, Weighed] = {}
        for differential in differentials:
            for item in differential:
                held = best.get(item.cause.id)
                if held is None or item.rank < held.rank:
                    best[item.cause.id] = item
        return tuple(sorted(best.values(), key=_rank))

    def judgement(self, counts: Counts) -> Judgement:
        """What these counts of answers come to."""
        known = self.chart.memory.judgements.get(counts)
        if known is None:
            category = category_of(counts, rules=self.chart.knowledge.categories)
            known = self.chart.memory.judgements[counts] = Judgement(category, weight_of_counts(counts))
        return known

    def category_with(self, counts: Counts, one: int, other: int = PLACE[Strength.NONE]) -> Category:
        """The category if one or two answers more were counted, by their places in `ORDER`."""
        key = (counts, one, other)
        known = self.chart.memory.moved.get(key)
        if known is None:
            more = list(counts)
            more[one] += 1
            more[other] += 1
            more[-1] = 0
            known = self.chart.memory.moved[key] = self.judgement(tuple(more)).category
        return known

    def supposed(self, item: Weighed, replies: Mapping[str, Reply]) -> Weighed:
        """The same cause if some of its questions were answered so."""
        said, counts = list(item.said), list(item.counts)
        for question, reply in replies.items():
            place = item.plan.places[question]
            step, before = item.plan.steps[place], said[place]
            if before.reply is not Reply.NOT_KNOWN:
                counts[step.yes_place if before.reply is YES else step.no_place] -= 1
            counts[step.yes_place if reply is YES else step.no_place] += 1
            said[place] = Said(reply, before.because, before.evidence)
        counts[-1] = 0
        category = self.judgement(tuple(counts)).category
        return Weighed(
            cause=item.cause, plan=item.plan, said=said, counts=tuple(counts), category=category, rank=item.rank
        )

    def _weigh(self, cause: Cause, finding: FindingCourse | None, of_finding: dict[int, Said]) -> Weighed:
        plan = self.chart.memory.plans.get(cause.id) or self._prepare(cause)
        of_patient = self._of_patient
        tally = [0] * len(ORDER)
        told = []
        for step in plan.steps:
            known = of_finding if step.per_finding else of_patient
            said = known.get(step.meaning)
            if said is None:
                said = known[step.meaning] = self._ask(cause, step, finding)
            told.append(said)
            if said.reply is YES:
                tally[step.yes_place] += 1
            elif said.reply is NO:
                tally[step.no_place] += 1
        tally[-1] = 0  # the last place takes the answers that weigh nothing
        counts = tuple(tally)
        category, weight = self.judgement(counts)
        if finding is None and cause.id != NO_FINDING_CAUSE:
            category = Category.UNASSESSABLE  # there is nothing to explain
        return Weighed(
            cause=cause,
            plan=plan,
            said=told,
            counts=counts,
            category=category,
            rank=(RANK[category], -weight, cause.id),
        )

    def _ask(self, cause: Cause, step: Step, finding: FindingCourse | None) -> Said:
        chart = self.chart
        look = chart.looks[finding.key] if finding else None
        parameters = step.question.parameters
        return step.ask(
            Case(chart=chart, finding=finding, look=look, cause=cause, parameters=parameters, sets=step.sets)
        )

    def _prepare(self, cause: Cause) -> Plan:
        steps = tuple(self._step(cause, question) for question in cause.questions)
        places = {question.id: place for place, question in enumerate(cause.questions)}
        plan = self.chart.memory.plans[cause.id] = Plan(steps=steps, places=places)
        return plan

    def _step(self, cause: Cause, question: Question) -> Step:
        materials = cause.materials if question.id in OF_MATERIALS else ()
        told = repr((question.id, sorted(question.parameters.items()), materials))
        meanings = self.chart.memory.meanings
        return Step(
            question=question,
            ask=QUESTIONS[question.id],
            sets={name: frozenset(words) for name, words in question.parameters.items()},
            per_finding=question.id in PER_FINDING,
            meaning=meanings.setdefault(told, len(meanings)),
            yes_place=PLACE[question.yes],
            no_place=PLACE[question.no],
        )


def _rank(item: Weighed) -> Rank:
    return item.rank


def _answer(question: Question, said: Said) -> Answer:
    return Answer(
        question=question.id,
        ask=question.ask,
        reply=said.reply,
        strength=strength_of(question, said.reply),
        because=written(said.because),
        evidence=tuple(dict.fromkeys(said.evidence)) if len(said.evidence) > 1 else said.evidence,
        sources=question.sources,
    )


def strength_of(question: Question, reply: Reply) -> Strength:
    """What a reply weighs. Not known weighs nothing, for or against."""
    if reply is Reply.YES:
        return question.yes
    return question.no if reply is Reply.NO else Strength.NONE
