"""This file writes an assessment as plain text for the terminal and for `text/plain`, about 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from correlation.assessment import Answer, Assessment, Category, CauseAssessment, FindingAssessment, Reply, Strength
from correlation.biochemistry import range_words
from correlation.catalogue import Knowledge
from correlation.injections import injection_words, site_words
from correlation.timeline import LabResult, ResourceRef
from correlation.wording import STATEMENT, clean, study_name

WIDTH = 100
LIKELY = (Category.PROBABLE, Category.POSSIBLE)
REPLY_WORDS = {Reply.YES: "yes", Reply.NO: "no", Reply.NOT_KNOWN: "not known"}
ALWAYS_SHOWN = "filler_caha"


def worksheet_text(assessment: Assessment, knowledge: Knowledge, *, software_version: str = "") -> str:
    """The whole worksheet, as a clinician would fill it in by hand, ending with a line break."""
    lines: list[str] = []
    for part in (
        _header(assessment),
        _alerts(assessment),
        _findings(assessment),
        _fillers(assessment),
        _laboratory(assessment, knowledge),
        _causes(assessment),
        _changes(assessment),
        _end(assessment, knowledge, software_version=software_version),
    ):
        lines.extend(part)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title(text: str) -> list[str]:
    return ["", text, "-" * len(text)]


def _text(text: str, *, indent: int = 2, hang: int = 0) -> list[str]:
    before = " " * indent
    return wrap(
        clean(text), width=WIDTH, initial_indent=before, subsequent_indent=before + " " * hang, break_long_words=False
    )


def _refs(evidence: Sequence[ResourceRef]) -> str:
    return ", ".join(dict.fromkeys(ref.reference for ref in evidence))


def _header(assessment: Assessment) -> Iterator[str]:
    attribution = assessment.attribution.value.upper() if assessment.attribution else "NO REPORT"
    yield "FILLERTRACE WORKSHEET"
    yield "Asked: do recorded fillers explain the deposits described on imaging?"
    yield f"Attribution: {attribution}   (as of {assessment.as_of})"
    yield from _text(f"Why: {assessment.because}.", indent=0, hang=5)
    yield ""
    yield from _text(assessment.conclusion, indent=0)


def _alerts(assessment: Assessment) -> Iterator[str]:
    yield from _title("Alerts")
    if not assessment.alerts:
        yield "  none raised; no alert does not mean no emergency"
    for alert in assessment.alerts:
        sources = " ".join(f"[{source}]" for source in alert.sources)
        yield from _text(f"! {alert.code}: {alert.says} {_refs(alert.evidence)} {sources}", hang=2)


def _findings(assessment: Assessment) -> Iterator[str]:
    yield from _title("Findings")
    if not assessment.findings:
        yield "  none that asks for an explanation"
    for item in assessment.findings:
        yield from _finding(item)


def _finding(item: FindingAssessment) -> Iterator[str]:
    finding = item.finding
    yield from _text(f"{finding.kind}, {site_words(finding.site)} -> {item.attribution.value.upper()}")
    yield from _text(f"{item.because}.", indent=4)
    yield from _text(f"Course: {finding.course}.", indent=4)
    quoted: set[tuple[str, str]] = set()
    for seen in finding.seen:
        key = (seen.quote, seen.source.reference)
        if key not in quoted:
            quoted.add(key)
            words = f'"{seen.quote}"' if seen.quote else f"coded ({seen.recognised_by or seen.kind.value})"
            when = f"{study_name(seen.modalities)} of {seen.seen or 'an unknown date'}"
            yield from _text(f"{when}: {words} {seen.source.reference}", indent=4, hang=2)


def _fillers(assessment: Assessment) -> Iterator[str]:
    yield from _title("Filler events")
    used = {injection for item in assessment.findings for injection in item.injections}
    unused = {(fact.source, fact.what): fact.why for fact in assessment.unused}
    if not assessment.timeline.injections:
        yield "  none on record; absence of a record is not absence of an injection"
    for injection in assessment.timeline.injections:
        words = injection_words(injection)
        why = "used" if injection in used else unused.get((injection.source, words), "not contributing")
        how = f"material {injection.material}, recognised by {injection.recognised_by or 'the record'}"
        reported = "" if injection.source_certainty == "recorded" else ", as the patient reported"
        yield from _text(f"{words}: {why}. {how}{reported}. {injection.source.reference}", hang=2)


def _laboratory(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    yield from _title("Laboratory")
    for result in assessment.timeline.labs:
        yield from _text(_lab(result, knowledge), hang=2)
    yield from _text(f"MISSING: {'; '.join(assessment.missing) or 'nothing that was looked for'}", hang=2)


def _lab(result: LabResult, knowledge: Knowledge) -> str:
    known = knowledge.labs.get(result.test)
    value = result.as_written or (f"{result.value} {result.unit}" if result.value is not None else "")
    flag = " (preliminary)" if result.preliminary else ""
    name = known.name if known else result.test
    spoiled = f"; not used: {result.unusable_because}" if result.unusable_because else ""
    bare = not result.range_as_written and (result.low is not None or result.high is not None)
    unit = f" {result.unit}" if bare else ""
    return (
        f"{name}: {value or result.qualitative}{flag}, {range_words(result)}{unit}, "
        f"{result.collected or 'date not known'}{spoiled} {result.source.reference}"
    )


def _causes(assessment: Assessment) -> Iterator[str]:
    yield from _title("Causes, best first")
    shown = [item for item in assessment.differential if item.category in LIKELY or item.cause == ALWAYS_SHOWN]
    for place, item in enumerate(shown, start=1):
        yield from _cause(place, item)
    others = [item for item in assessment.differential if item not in shown]
    for category in (Category.UNASSESSABLE, Category.UNLIKELY):
        names = [item.name for item in others if item.category is category]
        if names:
            yield from _text(f"{category.value}: {'; '.join(names)}", hang=2)


def _cause(place: int, item: CauseAssessment) -> Iterator[str]:
    yield from _text(f"{place}. {item.name} ({item.cause}) -> {item.category.value.upper()}")
    for answer in item.answers:
        yield from _answer(answer)
    for change in item.would_change[:2]:
        yield from _text(f"Would change: {change.says}", indent=5, hang=2)
    yield from _text(f"Next: {item.next_step}", indent=5, hang=2)
    yield ""


def _answer(answer: Answer) -> Iterator[str]:
    weight = "-" if answer.strength is Strength.NONE else answer.strength.value.replace("-", " ")
    head = f"     {REPLY_WORDS[answer.reply]:<10} {weight:<19}"
    asked = wrap(answer.ask, width=WIDTH - len(head)) or [""]
    yield f"{head}{asked[0]}"
    for line in asked[1:]:
        yield " " * len(head) + line
    sources = " ".join(f"[{source}]" for source in answer.sources)
    evidence = f" {_refs(answer.evidence)}" if answer.evidence else ""
    yield from _text(f"{answer.because}.{evidence} {sources}", indent=len(head))


def _changes(assessment: Assessment) -> Iterator[str]:
    yield from _title("What would change the answer")
    if not assessment.would_change:
        yield "  no single missing fact, nor two together"
    for change in assessment.would_change:
        yield from _text(change.says, hang=2)


def _end(assessment: Assessment, knowledge: Knowledge, *, software_version: str) -> Iterator[str]:
    yield from _title("Limitations")
    for text in assessment.limitations:
        yield from _text(f"- {text}", hang=2)
    yield ""
    software = f"Fillertrace {software_version}. " if software_version else ""
    yield from _text(
        f"{software}Knowledge edition {assessment.edition}, sha-256 {assessment.digest}. {knowledge.status}.", indent=0
    )
    yield from _text(STATEMENT, indent=0)
