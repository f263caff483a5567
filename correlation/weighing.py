"""This file asks every question of every cause, per finding, and ranks the causes: the differential.

Answers about the patient are worked out once and shared by all findings; causes that ask the same thing share what was
said. The order of the questions of a cause is prepared once per edition of the knowledge base (`Step`).
"""

from __future__ import annotations

from collections.abc import Sequence

from correlation.assessment import Answer, Category, CauseAssessment, FindingCourse, Reply, Strength
from correlation.catalogue import Cause, Question
from correlation.category import ORDER, PLACE, RANK, Counts, category_of, weight_of_counts
from correlation.chart import Case, Chart, Said, Step
from correlation.questions import OF_MATERIALS, PER_FINDING, QUESTIONS

NO_FINDING_CAUSE = "no_target_finding"
YES, NO, NONE = Reply.YES, Reply.NO, Strength.NONE

Rank = tuple[int, int, str]


class Weighing:
    """Weighs the causes of one chart, and remembers what was said and how the causes ranked."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.counts: dict[int, Counts] = {}  # by the identity of the cause's assessment
        self._ranks: dict[int, Rank] = {}
        self._answers: dict[int, Answer] = {}
        self._said: dict[tuple[int, str], Said] = {}

    def differential(self, finding: FindingCourse | None) -> tuple[CauseAssessment, ...]:
        """Every cause of the knowledge base for one finding (or for a patient without any), best first."""
        found = [self._assess(cause, finding) for cause in self.chart.knowledge.causes.values()]
        return tuple(sorted(found, key=self._rank))

    def over_all(self, differentials: Sequence[Sequence[CauseAssessment]]) -> tuple[CauseAssessment, ...]:
        """Over all findings: each cause as it fits the finding it explains best, ranked."""
        best: dict[str, CauseAssessment] = {}
        for differential in differentials:
            for item in differential:
                held = best.get(item.cause)
                if held is None or self._rank(item) < self._rank(held):
                    best[item.cause] = item
        return tuple(sorted(best.values(), key=self._rank))

    def category(self, counts: Counts) -> Category:
        """The category of these counts of answers."""
        known = self.chart.memory.categories.get(counts)
        if known is None:
            known = category_of(counts, rules=self.chart.knowledge.categories)
            self.chart.memory.categories[counts] = known
        return known

    def _rank(self, item: CauseAssessment) -> Rank:
        """Best category first, then the weight of the answers, then the id: the same facts give the same order."""
        return self._ranks[id(item)]

    def _assess(self, cause: Cause, finding: FindingCourse | None) -> CauseAssessment:
        answers = []
        tally = [0] * len(ORDER)
        for step in self._plan(cause):
            answer = self._answer(cause, step, finding)
            answers.append(answer)
            if answer.reply is YES:
                tally[step.yes_place] += 1
            elif answer.reply is NO:
                tally[step.no_place] += 1
        tally[-1] = 0  # the last place takes the answers that weigh nothing
        counts = tuple(tally)
        nothing_to_explain = finding is None and cause.id != NO_FINDING_CAUSE
        item = CauseAssessment(
            cause=cause.id,
            name=cause.name,
            category=Category.UNASSESSABLE if nothing_to_explain else self.category(counts),
            answers=tuple(answers),
            next_step=cause.next_step,
            from_filler=cause.from_filler,
        )
        self.counts[id(item)] = counts
        self._ranks[id(item)] = (RANK[item.category], -weight_of_counts(counts), cause.id)
        return item

    def _plan(self, cause: Cause) -> tuple[Step, ...]:
        plans = self.chart.memory.plans
        plan = plans.get(cause.id)
        if plan is None:
            plan = plans[cause.id] = tuple(self._step(cause, question) for question in cause.questions)
        return plan

    def _step(self, cause: Cause, question: Question) -> Step:
        materials = cause.materials if question.id in OF_MATERIALS else ()
        told = repr((question.id, sorted(question.parameters.items()), materials))
        meanings = self.chart.memory.meanings
        return Step(
            question=question,
            ask=QUESTIONS[question.id],
            per_finding=question.id in PER_FINDING,
            meaning=meanings.setdefault(told, len(meanings)),
            yes_place=PLACE[question.yes],
            no_place=PLACE[question.no],
        )

    def _answer(self, cause: Cause, step: Step, finding: FindingCourse | None) -> Answer:
        if step.per_finding:
            return self._say(cause, step, finding)
        known = self._answers.get(id(step))
        if known is None:
            known = self._answers[id(step)] = self._say(cause, step, finding)
        return known

    def _say(self, cause: Cause, step: Step, finding: FindingCourse | None) -> Answer:
        key = (step.meaning, finding.key if step.per_finding and finding else "")
        question = step.question
        said = self._said.get(key)
        if said is None:
            look = self.chart.looks[finding.key] if finding else None
            case = Case(chart=self.chart, finding=finding, look=look, cause=cause, parameters=question.parameters)
            said = step.ask(case)
            if len(said.evidence) > 1:
                said = Said(said.reply, said.because, tuple(dict.fromkeys(said.evidence)))
            self._said[key] = said
        return Answer(
            question=question.id,
            ask=question.ask,
            reply=said.reply,
            strength=question.yes if said.reply is YES else question.no if said.reply is NO else NONE,
            because=said.because,
            evidence=said.evidence,
            sources=question.sources,
        )


def strength_of(question: Question, reply: Reply) -> Strength:
    """What a reply weighs. Not known weighs nothing, for or against."""
    if reply is Reply.YES:
        return question.yes
    return question.no if reply is Reply.NO else Strength.NONE
