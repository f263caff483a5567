"""This file makes the questions of a knowledge base ready, once: each thing that is asked stands there once.

Causes that ask the same thing share what was said to it. What is asked of the patient comes first, because it is
answered once for all findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from correlation.catalogue import Cause, Question
from correlation.category import PLACE, UNCOUNTED
from correlation.chart import Asked, Plan, Questionnaire, Step
from correlation.questions import OF_MATERIALS, PER_FINDING, PER_PATIENT

Meaning = tuple[bool, str]  # whether it is asked of each finding; what is asked, written so that the same is equal


def questionnaire_of(causes: Mapping[str, Cause]) -> Questionnaire:
    """Everything these causes ask."""
    meanings = sorted({meaning: None for meaning, _ in _asked_by(causes)}, key=lambda meaning: meaning[0])
    places = {meaning: place for place, meaning in enumerate(meanings)}
    plans = tuple(_plan(cause, places) for cause in causes.values())
    first: dict[Meaning, tuple[Cause, Question]] = {}
    for meaning, (cause, question) in _asked_by(causes):
        first.setdefault(meaning, (cause, question))
    asked = tuple(_asked(*first[meaning], plans=plans, place=place) for meaning, place in places.items())
    return Questionnaire(
        of_patient=tuple((PER_PATIENT[item.question], item) for item in asked if item.question in PER_PATIENT),
        of_finding=tuple((PER_FINDING[item.question], item) for item in asked if item.question in PER_FINDING),
        asked=asked,
        plans=plans,
    )


def _asked_by(causes: Mapping[str, Cause]) -> Iterator[tuple[Meaning, tuple[Cause, Question]]]:
    for cause in causes.values():
        for question in cause.questions:
            yield _meaning(cause, question), (cause, question)


def _meaning(cause: Cause, question: Question) -> Meaning:
    materials = cause.materials if question.id in OF_MATERIALS else ()
    return question.id in PER_FINDING, repr((question.id, sorted(question.parameters.items()), materials))


def _plan(cause: Cause, places: Mapping[Meaning, int]) -> Plan:
    steps = tuple(
        Step(
            question=question,
            place=places[_meaning(cause, question)],
            yes_place=PLACE[question.yes],
            no_place=PLACE[question.no],
        )
        for question in cause.questions
    )
    return Plan(cause=cause, steps=steps, places={step.question.id: step.place for step in steps})


def _asked(cause: Cause, question: Question, *, plans: tuple[Plan, ...], place: int) -> Asked:
    steps = [(index, step) for index, plan in enumerate(plans) for step in plan.steps if step.place == place]
    return Asked(
        question=question.id,
        materials=cause.materials,
        parameters=question.parameters,
        sets={name: frozenset(words) for name, words in question.parameters.items()},
        every=frozenset().union(*question.parameters.values()),
        yes=tuple((index, step.yes_place) for index, step in steps if step.yes_place != UNCOUNTED),
        no=tuple((index, step.no_place) for index, step in steps if step.no_place != UNCOUNTED),
    )
