"""This file writes `$explain`: everything a report rests on, as FHIR Parameters.

Every cause of the knowledge base with every answer for, against and not known, shown in the report or not; what would
change the conclusion; findings, alerts, sources; the knowledge base and the software. It explains the computed version
of a report, and says whether this software still comes to the same.
FHIR R4 Parameters: https://hl7.org/fhir/R4/parameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from correlation.assessment import (
    Alert,
    Answer,
    Assessment,
    CauseAssessment,
    Change,
    FindingAssessment,
    Reply,
    Strength,
)
from correlation.catalogue import Knowledge, Source
from correlation.timeline import ResourceRef, Withheld
from fhir_mappings import canonical
from fhir_mappings.answer_changes import Moved
from fhir_mappings.basis import Basis
from fhir_mappings.code_systems import ATTRIBUTION_WORDS, CATEGORY_WORDS, REPLY_WORDS, alert_words, coding
from fhir_mappings.input_references import versioned_reference
from fhir_mappings.report_frame import instant
from fhir_mappings.result_observations import shown_causes
from fhir_mappings.site_words import body_site, site_words

Json = dict[str, Any]

_NOT_REPRODUCED: Final = (
    "This software does not come to what is stored of this version; what differs is listed under moved. "
    "The answers below are those of this software over the recorded inputs and knowledge base."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """Whether the computation made now is the stored one: `identical` in every byte, `moved` what is not.

    `identical` is None where there is nothing to compare it with: the version as a caller sees it who may not see all.
    """

    identical: bool | None
    moved: Sequence[Moved]
    software_version: str


def write_explanation(
    assessment: Assessment,
    knowledge: Knowledge,
    *,
    basis: Basis,
    report: Json,
    reproduction: Reproduction,
) -> Json:
    """The Parameters that explain `report`, the stored DiagnosticReport of the computed version."""
    shown = {cause.cause for cause in shown_causes(assessment)}
    return {
        "resourceType": "Parameters",
        "id": canonical.id_within(basis.identity.report_id, f"explanation:{basis.identity.version}"),
        "meta": report["meta"],
        "parameter": [
            *_head(basis, reproduction),
            *_attribution(assessment),
            *(_withheld(item, knowledge) for item in assessment.timeline.withheld),
            *(_alert(alert, knowledge) for alert in assessment.alerts),
            *(_finding(finding, knowledge) for finding in assessment.findings),
            *(_cause(cause, in_report=cause.cause in shown) for cause in assessment.differential),
            *(_value("missing", "String", text) for text in assessment.missing),
            *(_value("limitation", "String", text) for text in assessment.limitations),
            *(_source(knowledge.sources[id_]) for id_ in _cited(assessment) if id_ in knowledge.sources),
        ],
    }


def _head(basis: Basis, reproduction: Reproduction) -> list[Json]:
    identity = basis.identity
    version = f"DiagnosticReport/{identity.report_id}/_history/{identity.version}"
    head = [
        _value("report", "Reference", {"reference": version, "type": "DiagnosticReport"}),
        _value("issued", "Instant", instant(identity.issued)),
        _value("asOf", "Date", basis.as_of.isoformat()),
        _value("knowledgeEdition", "String", basis.knowledge_edition),
        _value("knowledgeDigest", "String", basis.knowledge_digest),
        _value("softwareVersion", "String", basis.software_version),
        _value("explainedBy", "String", f"{canonical.SOFTWARE_NAME} {reproduction.software_version}"),
    ]
    if reproduction.identical is not None:
        head.append(_value("reproduced", "Boolean", reproduction.identical))
    if reproduction.identical is False:
        head.append(_value("notReproduced", "String", _NOT_REPRODUCED))
        head.extend(_moved(one) for one in reproduction.moved)
    return head


def _moved(moved: Moved) -> Json:
    words = (("about", moved.about), ("what", moved.what), ("stored", moved.before), ("now", moved.after))
    return _parts("moved", [_value(name, "String", text) for name, text in words])


def _attribution(assessment: Assessment) -> list[Json]:
    code = assessment.attribution.value if assessment.attribution else "indeterminate"
    return [
        _value("attribution", "CodeableConcept", _concept(canonical.ATTRIBUTION, code, ATTRIBUTION_WORDS[code])),
        *_text("because", assessment.because),
        *_text("conclusion", assessment.conclusion),
        *(_change(change) for change in assessment.would_change),
    ]


def _withheld(item: Withheld, knowledge: Knowledge) -> Json:
    """A class of data that could not be seen: that it was not, and why, never what it holds."""
    parts = [
        _value("data", "Code", item.data.value),
        _value("because", "Code", item.because.value),
        *(_value("says", "String", says) for says in knowledge.words.withheld([item])),
    ]
    return _parts("withheld", parts)


def _alert(alert: Alert, knowledge: Knowledge) -> Json:
    words = alert_words(alert.code, knowledge)
    parts = [
        _value("code", "CodeableConcept", _concept(canonical.ALERT, alert.code, words)),
        *_text("says", alert.says),
    ]
    return _parts("alert", [*parts, *_evidence(alert.evidence), *_source_ids(alert.sources)])


def _finding(finding: FindingAssessment, knowledge: Knowledge) -> Json:
    course, code = finding.finding, finding.attribution.value
    what = f"{course.kind.replace('_', ' ')}, {site_words(course.site, knowledge)}"
    seen = [ref for item in course.seen for ref in (item.source, item.exam) if ref is not None]
    fitting = [injection.source for injection in finding.injections]
    parts = [
        _value("what", "String", what),
        _value("bodySite", "CodeableConcept", body_site(course.site, knowledge)),
        _value("attribution", "CodeableConcept", _concept(canonical.ATTRIBUTION, code, ATTRIBUTION_WORDS[code])),
        *_text("because", finding.because),
        *_text("course", course.course),
    ]
    return _parts("finding", [*parts, *_evidence([*seen, *fitting])])


def _cause(cause: CauseAssessment, *, in_report: bool) -> Json:
    code = cause.category.value
    parts = [
        _value("code", "CodeableConcept", _concept(canonical.CAUSE, cause.cause, cause.name)),
        _value("category", "CodeableConcept", _concept(canonical.CATEGORY, code, CATEGORY_WORDS.get(code, code))),
        _value("inReport", "Boolean", in_report),
        *_text("nextStep", cause.next_step),
        *(_answer(answer) for answer in cause.answers),
        *(_change(change) for change in cause.would_change),
    ]
    return _parts("cause", parts)


def _answer(answer: Answer) -> Json:
    reply = answer.reply.value
    question = _concept(canonical.QUESTION, answer.question, answer.question.replace("_", " "))
    parts = [
        _value("question", "CodeableConcept", {**question, "text": answer.ask}),
        _value("reply", "CodeableConcept", _concept(canonical.REPLY, reply, REPLY_WORDS[reply])),
        _value("strength", "Code", answer.strength.value),
        *_text("because", answer.because),
    ]
    return _parts(_side(answer), [*parts, *_evidence(answer.evidence), *_source_ids(answer.sources)])


def _side(answer: Answer) -> str:
    """On which side an answer stands; an answer without weight is known, and speaks neither for nor against."""
    if answer.reply is Reply.NOT_KNOWN:
        return "unknown"
    if answer.strength is Strength.NONE:
        return "neither"
    return "for" if answer.strength.value.endswith("-for") else "against"


def _change(change: Change) -> Json:
    replies = [
        _parts("answer", [_value("question", "Code", question), _value("reply", "Code", reply.value)])
        for question, reply in zip(change.questions, change.replies, strict=True)
    ]
    return _parts("wouldChange", [*replies, _value("becomes", "Code", change.becomes), *_text("says", change.says)])


def _source(source: Source) -> Json:
    words = (("id", source.id), ("title", source.title), ("kind", source.kind), ("reference", source.reference))
    parts = [part for name, text in (*words, ("checked", source.checked)) for part in _text(name, text)]
    return _parts("source", parts)


def _cited(assessment: Assessment) -> Iterable[str]:
    """The ids of all sources cited, in the order of first citation."""
    answers = [source for cause in assessment.differential for answer in cause.answers for source in answer.sources]
    return dict.fromkeys([*(source for alert in assessment.alerts for source in alert.sources), *answers])


def _evidence(evidence: Iterable[ResourceRef]) -> list[Json]:
    """Each input once, in the version that was read. A contained one is named by its container."""
    unique: dict[str, Json] = {}
    for ref in evidence:
        reference = versioned_reference(ref)
        if "reference" in reference:
            unique.setdefault(reference["reference"], reference)
    return [_value("evidence", "Reference", reference) for reference in unique.values()]


def _source_ids(sources: Iterable[str]) -> list[Json]:
    return [_value("source", "String", id_) for id_ in dict.fromkeys(sources)]


def _text(name: str, text: str) -> list[Json]:
    """A text, or nothing: FHIR has no empty strings."""
    return [_value(name, "String", text)] if text.strip() else []


def _value(name: str, type_: str, value: object) -> Json:
    return {"name": name, f"value{type_}": value}


def _parts(name: str, parts: list[Json]) -> Json:
    return {"name": name, "part": parts}


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [coding(system, code, display)], "text": display}
