"""This file asks every question of every cause, per finding, and ranks the causes: the differential.

Answers about the patient are worked out once and shared by all findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from correlation.assessment import Answer, Category, CauseAssessment, FindingCourse, Reply, Strength
from correlation.catalogue import Cause, Question
from correlation.category import RANK, Counts, category_of, counts_of, weight_of
from correlation.chart import Case, Chart
from correlation.questions import PER_FINDING, QUESTIONS

NO_FINDING_CAUSE = "no_target_finding"


class Weighing:
    """Weighs the causes of one chart; remembers answers about the patient and categories of equal counts."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._answers: dict[int, Answer] = {}
        self.categories: dict[Counts, Category] = chart.memory.categories

    def differential(self, finding: FindingCourse | None) -> tuple[CauseAssessment, ...]:
        """Every cause of the knowledge base for one finding (or for a patient without any), best first."""
        causes = self.chart.knowledge.causes.values()
        return ranked(self._assess(cause, finding) for cause in causes)

    def category(self, counts: Counts) -> Category:
        """The category of these counts."""
        if counts not in self.categories:
            self.categories[counts] = category_of(counts, rules=self.chart.knowledge.categories)
        return self.categories[counts]

    def _assess(self, cause: Cause, finding: FindingCourse | None) -> CauseAssessment:
        answers = tuple(self._answer(cause, question, finding) for question in cause.questions)
        if finding is None and cause.id != NO_FINDING_CAUSE:
            category = Category.UNASSESSABLE  # nothing is there to explain
        else:
            category = self.category(counts_of(answer.strength for answer in answers))
        return CauseAssessment(
            cause=cause.id,
            name=cause.name,
            category=category,
            answers=answers,
            next_step=cause.next_step,
            from_filler=cause.from_filler,
        )

    def _answer(self, cause: Cause, question: Question, finding: FindingCourse | None) -> Answer:
        if question.id in PER_FINDING:
            return self._ask(cause, question, finding)
        key = id(question)
        if key not in self._answers:
            self._answers[key] = self._ask(cause, question, finding)
        return self._answers[key]

    def _ask(self, cause: Cause, question: Question, finding: FindingCourse | None) -> Answer:
        look = self.chart.looks[finding.key] if finding else None
        case = Case(chart=self.chart, finding=finding, look=look, cause=cause, parameters=question.parameters)
        said = QUESTIONS[question.id](case)
        return Answer(
            question=question.id,
            ask=question.ask,
            reply=said.reply,
            strength=strength_of(question, said.reply),
            because=said.because,
            evidence=tuple(dict.fromkeys(said.evidence)),
            sources=question.sources,
        )


def strength_of(question: Question, reply: Reply) -> Strength:
    """What a reply weighs. Not known weighs nothing, for or against."""
    if reply is Reply.YES:
        return question.yes
    return question.no if reply is Reply.NO else Strength.NONE


def ranked(causes: Iterable[CauseAssessment]) -> tuple[CauseAssessment, ...]:
    """Best category first, then the weight of the answers, then the id: the same facts give the same order."""
    return tuple(sorted(causes, key=_rank))


def _rank(item: CauseAssessment) -> tuple[int, int, str]:
    return RANK[item.category], -weight_of(answer.strength for answer in item.answers), item.cause


def best_of_each(differentials: Sequence[Sequence[CauseAssessment]]) -> tuple[CauseAssessment, ...]:
    """Over all findings: each cause as it fits the finding it explains best, ranked."""
    best: dict[str, CauseAssessment] = {}
    for differential in differentials:
        for item in differential:
            held = best.get(item.cause)
            if held is None or _rank(item) < _rank(held):
                best[item.cause] = item
    return ranked(best.values())
