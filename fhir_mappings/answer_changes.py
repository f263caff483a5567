"""This file compares two computations of one report version: which answers moved, and which words.

An answer is known by the id of the Observation that holds it, which is the same in all versions of a report
(`canonical.id_within`), and by what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from fhir_mappings import canonical
from fhir_mappings.code_systems import alert_words
from fhir_mappings.elements import codings, mapping, objects, string
from fhir_mappings.result_observations import top_cause
from fhir_mappings.site_words import site_words

ATTRIBUTION: Final = "attribution"
CATEGORY: Final = "category"
ALERT: Final = "alert"
TOP_CAUSE: Final = "top cause"
PATIENT: Final = "the patient"
NONE: Final = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. `about` is what it speaks of, in words; `what` the question's id, or attribution, category, alert."""

    about: str
    what: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An answer, or an element's words, that differ. `NONE` stands where one of the two does not have it."""

    about: str
    what: str
    before: str
    after: str


Answers = Mapping[tuple[str, str], Said]
"""Answers by the id of their Observation and by what was asked."""


def answers_in(resources: Sequence[Mapping[str, Any]]) -> Answers:
    """The answers that a report shows, from its resources: the causes in its `result`, findings, alerts."""
    found: dict[tuple[str, str], Said] = {}
    for resource in resources:
        identity, kind = string(resource.get("id")), string(resource.get("resourceType"))
        if kind == "DiagnosticReport":
            best = next(iter(objects(resource.get("conclusionCode"))), None)
            _keep(found, identity, PATIENT, TOP_CAUSE, NONE if best is None else _first_code(best))
        elif kind == "Observation":
            _observed(found, identity, resource)
    return found


def answers_of(assessment: Assessment, knowledge: Knowledge, *, report_id: str) -> Answers:
    """Every answer of an assessment, those about causes that a report does not show included."""
    found: dict[tuple[str, str], Said] = {}
    top = top_cause(assessment)
    _keep(found, report_id, PATIENT, TOP_CAUSE, NONE if top is None else top.cause)
    whole = canonical.id_within(report_id, canonical.FILLER_ATTRIBUTION)
    _keep(found, whole, PATIENT, ATTRIBUTION, NONE if assessment.attribution is None else assessment.attribution.value)
    for cause in assessment.differential:
        identity = canonical.id_within(report_id, f"cause:{cause.cause}")
        _keep(found, identity, cause.cause, CATEGORY, cause.category.value)
        for answer in cause.answers:
            said = f"{answer.reply.value}, {answer.strength.value}"
            _keep(found, identity, cause.cause, answer.question, said)
    for finding in assessment.findings:
        course = finding.finding
        words = f"{course.kind.replace('_', ' ')}, {site_words(course.site, knowledge)}"
        identity = canonical.id_within(report_id, f"finding:{course.key}")
        _keep(found, identity, words, ATTRIBUTION, finding.attribution.value)
    for code in dict.fromkeys(alert.code for alert in assessment.alerts):
        identity = canonical.id_within(report_id, f"alert:{code}")
        _keep(found, identity, alert_words(code, knowledge), ALERT, code)
    return found


def moved_answers(before: Answers, after: Answers) -> tuple[Moved, ...]:
    """The answers that differ. Of a cause that one side does not have, the category alone stands for all of it."""
    known_before, known_after = {id_ for id_, _ in before}, {id_ for id_, _ in after}
    both = known_before & known_after
    return tuple(
        Moved(about=_either(old, new).about, what=key[1], before=_value(old), after=_value(new))
        for key in dict.fromkeys((*before, *after))
        if _value(old := before.get(key)) != _value(new := after.get(key))
        and (key[0] in both or key[1] in (CATEGORY, ATTRIBUTION, ALERT, TOP_CAUSE))
    )


def moved_words(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[Moved, ...]:
    """Every element of the resources that differs, by its path, whatever it holds."""
    old, new = ({_name(one): one for one in resources} for resources in (before, after))
    return tuple(
        moved
        for name in dict.fromkeys((*old, *new))
        for moved in _differences(name, _leaves(old.get(name, {})), _leaves(new.get(name, {})))
    )


def _observed(found: dict[tuple[str, str], Said], identity: str, resource: Mapping[str, Any]) -> None:
    codes = {one.system: one.code for one in codings(resource.get("code"))}
    value = _first_code(resource.get("valueCodeableConcept"))
    about = string(mapping(resource.get("code")).get("text"))
    kind = codes.get(canonical.RESULT)
    if kind == canonical.FILLER_ATTRIBUTION:
        _keep(found, identity, PATIENT, ATTRIBUTION, value)
    elif kind == canonical.FINDING_ATTRIBUTION:
        _keep(found, identity, about.partition(": ")[2] or about, ATTRIBUTION, value)
    elif kind == canonical.RESULT_ALERT:
        _keep(found, identity, about.partition(": ")[2] or about, ALERT, value)
    elif kind == canonical.CAUSE_ASSESSMENT:
        cause = codes.get(canonical.CAUSE, about)
        _keep(found, identity, cause, CATEGORY, value)
        for component in objects(resource.get("component")):
            extensions = objects(component.get("extension"))
            strength = next((one["valueCode"] for one in extensions if one.get("url") == canonical.ANSWER_STRENGTH), "")
            said = f"{_first_code(component.get('valueCodeableConcept'))}, {strength}"
            _keep(found, identity, cause, _first_code(component.get("code")), said)


def _keep(found: dict[tuple[str, str], Said], identity: str, about: str, what: str, value: str) -> None:
    found[identity, what] = Said(about=about, what=what, value=value)


def _first_code(concept: object) -> str:
    return next((one.code for one in codings(concept)), "")


def _either(old: Said | None, new: Said | None) -> Said:
    said = new or old
    assert said is not None
    return said


def _value(said: Said | None) -> str:
    return NONE if said is None else said.value


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _differences(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Moved]:
    for path in dict.fromkeys((*old, *new)):
        before, after = old.get(path, NONE), new.get(path, NONE)
        if before != after:
            yield Moved(about=name, what=path, before=before, after=after)


def _leaves(value: object, path: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        parts = [(f"{path}.{name}" if path else str(name), child) for name, child in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{at}]", child) for at, child in enumerate(value)]
    else:
        return {path: str(value)}
    return {found: text for where, child in parts for found, text in _leaves(child, where).items()}
