"""This file writes an assessment as plain text for the terminal and for `text/plain`, about 100 columns wide.

It speaks the language of the knowledge base that it is given (`correlation/words.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from correlation.assessment import Answer, Assessment, Category, CauseAssessment, FindingAssessment, Strength
from correlation.biochemistry import range_words
from correlation.catalogue import Knowledge
from correlation.category import LIKELY
from correlation.timeline import LabResult, ResourceRef
from correlation.wording import STATEMENT
from correlation.words import Words

WIDTH = 100
REPLY_WIDTH, WEIGHT_WIDTH = 10, 19
ALWAYS_SHOWN = "filler_caha"
MOST_CHANGES = 2  # of one cause


def worksheet_text(assessment: Assessment, knowledge: Knowledge, *, software_version: str = "") -> str:
    """The whole worksheet, as a clinician would fill it in by hand, ending with a line break."""
    words = knowledge.words
    lines: list[str] = []
    for part in (
        _header(assessment, words),
        _alerts(assessment, words),
        _findings(assessment, words),
        _fillers(assessment, words),
        _laboratory(assessment, words),
        _causes(assessment, words),
        _changes(assessment, words),
        _separating(assessment, words),
        _limitations(assessment, words),
        _sources(assessment, knowledge),
        _end(assessment, knowledge, software_version=software_version),
    ):
        lines.extend(part)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title(text: str) -> list[str]:
    return ["", text, "-" * len(text)]


def _text(text: str, words: Words, *, indent: int = 2, hang: int = 0) -> list[str]:
    before = " " * indent
    return wrap(
        words.clean(text),
        width=WIDTH,
        initial_indent=before,
        subsequent_indent=before + " " * hang,
        break_long_words=False,
    )


def _refs(evidence: Sequence[ResourceRef]) -> str:
    return ", ".join(dict.fromkeys(ref.reference for ref in evidence))


def _header(assessment: Assessment, words: Words) -> Iterator[str]:
    attribution = words.term(assessment.attribution.value if assessment.attribution else "no_report").upper()
    yield words.say("text.title")
    yield words.say("text.asked")
    yield words.say("text.attribution", attribution=attribution, day=assessment.as_of)
    yield from _text(words.say("text.why", because=assessment.because), words, indent=0, hang=5)
    if withheld := words.withheld(assessment.timeline.withheld):
        yield from _text(words.say("text.withheld", withheld="; ".join(withheld)), words, indent=0, hang=5)
    yield ""
    yield from _text(assessment.conclusion, words, indent=0)


def _alerts(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("sheet.alerts"))
    if not assessment.alerts:
        yield f"  {words.say('text.no_alert')}"
    for alert in assessment.alerts:
        sources = " ".join(f"[{source}]" for source in alert.sources)
        yield from _text(f"! {alert.code}: {alert.says} {_refs(alert.evidence)} {sources}", words, hang=2)


def _findings(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("sheet.findings"))
    if not assessment.findings:
        yield f"  {words.say('text.no_finding')}"
    for item in assessment.findings:
        yield from _finding(item, words)


def _finding(item: FindingAssessment, words: Words) -> Iterator[str]:
    finding = item.finding
    attribution = words.term(item.attribution.value).upper()
    yield from _text(f"{words.finding(finding.kind, finding.site)} -> {attribution}", words)
    yield from _text(f"{item.because}.", words, indent=4)
    yield from _text(words.say("text.course", course=finding.course), words, indent=4)
    quoted: set[tuple[str, str]] = set()
    for seen in finding.seen:
        key = (seen.quote, seen.source.reference)
        if key not in quoted:
            quoted.add(key)
            by = seen.recognised_by or words.term(seen.kind.value)
            told = f'"{seen.quote}"' if seen.quote else words.say("text.coded", by=by)
            study = words.say("imaging.study_of", study=words.modalities(seen.modalities), day=words.day(seen.seen))
            yield from _text(f"{study}: {told} {seen.source.reference}", words, indent=4, hang=2)


def _fillers(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("sheet.fillers"))
    used = {injection for item in assessment.findings for injection in item.injections}
    unused = {(fact.source, fact.what): fact.why for fact in assessment.unused}
    if not assessment.timeline.injections:
        yield f"  {words.say('product.none')}"
    for injection in assessment.timeline.injections:
        told = words.injection(injection)
        why = unused.get((injection.source, told), words.say("text.not_contributing"))
        reported = injection.source_certainty != "recorded"
        line = words.say(
            "text.filler_reported" if reported else "text.filler",
            injection=told,
            use=words.say("text.used") if injection in used else why,
            material=words.material(injection.material),
            by=injection.recognised_by or words.say("text.the_record"),
        )
        yield from _text(f"{line} {injection.source.reference}", words, hang=2)


def _laboratory(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("sheet.laboratory"))
    for result in assessment.timeline.labs:
        yield from _text(_lab(result, words), words, hang=2)
    missing = "; ".join(assessment.missing) or words.say("text.nothing_missing")
    yield from _text(words.say("text.missing", missing=missing), words, hang=2)


def _lab(result: LabResult, words: Words) -> str:
    value = result.as_written or (f"{result.value} {result.unit}" if result.value is not None else "")
    name = words.labs.get(result.test, result.test)
    bare = not result.range_as_written and (result.low is not None or result.high is not None)
    limits = range_words(result, words) + (f" {result.unit}" if bare else "")
    told = [
        f"{name}: {words.result(value or result.qualitative)}",
        f" ({words.say('sheet.preliminary_result')})" if result.preliminary else "",
        f", {limits}, {words.day(result.collected)}",
        f"; {words.say('text.spoiled', why=result.unusable_because)}" if result.unusable_because else "",
    ]
    return f"{''.join(told)} {result.source.reference}"


def _causes(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("text.causes"))
    shown = [item for item in assessment.differential if _is_shown(item)]
    for place, item in enumerate(shown, start=1):
        yield from _cause(place, item, words)
    others = [item for item in assessment.differential if item not in shown]
    for category in (Category.UNASSESSABLE, Category.UNLIKELY):
        names = [item.name for item in others if item.category is category]
        if names:
            yield from _text(f"{words.term(category.value)}: {'; '.join(names)}", words, hang=2)


def _is_shown(item: CauseAssessment) -> bool:
    return item.category in LIKELY or item.cause == ALWAYS_SHOWN


def _cause(place: int, item: CauseAssessment, words: Words) -> Iterator[str]:
    yield from _text(f"{place}. {item.name} ({item.cause}) -> {words.term(item.category.value).upper()}", words)
    for answer in item.answers:
        yield from _answer(answer, words)
    for change in item.would_change[:MOST_CHANGES]:
        yield from _text(words.say("text.would_change", change=change.says), words, indent=5, hang=2)
    if item.category in LIKELY:
        yield from _text(words.say("text.next", step=item.next_step), words, indent=5, hang=2)
    yield ""


def _answer(answer: Answer, words: Words) -> Iterator[str]:
    weight = "-" if answer.strength is Strength.NONE else words.term(answer.strength.value)
    head = f"     {words.term(answer.reply.value):<{REPLY_WIDTH}} {weight:<{WEIGHT_WIDTH}}"
    asked = wrap(answer.ask, width=WIDTH - len(head)) or [""]
    yield f"{head}{asked[0]}"
    for line in asked[1:]:
        yield " " * len(head) + line
    sources = " ".join(f"[{source}]" for source in answer.sources)
    evidence = f" {_refs(answer.evidence)}" if answer.evidence else ""
    yield from _text(f"{answer.because}.{evidence} {sources}", words, indent=len(head))


def _changes(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("text.changes"))
    if not assessment.would_change:
        yield f"  {words.say('text.no_change_withheld' if assessment.timeline.withheld else 'text.no_change')}"
    for change in assessment.would_change:
        yield from _text(change.says, words, hang=2)


def _separating(assessment: Assessment, words: Words) -> Iterator[str]:
    """The question that tells the two best causes apart, where there are two."""
    if assessment.separating_question is not None:
        yield from _title(words.say("sheet.separating"))
        yield from _text(assessment.separating_question.says, words, hang=2)


def _limitations(assessment: Assessment, words: Words) -> Iterator[str]:
    yield from _title(words.say("sheet.limitations"))
    for text in assessment.limitations:
        yield from _text(f"- {text}", words, hang=2)


def _sources(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    """What the ids in brackets stand for, and how much of each source was read."""
    answers = (answer for item in assessment.differential if _is_shown(item) for answer in item.answers)
    cited = {source for answer in answers for source in answer.sources}
    cited |= {source for alert in assessment.alerts for source in alert.sources}
    known = [knowledge.sources[source] for source in sorted(cited) if source in knowledge.sources]
    yield from _title(knowledge.words.say("sheet.sources"))
    for source in known:
        where = f", {source.reference}" if source.reference else ""
        line = f"[{source.id}] {source.title}{where} ({source.kind}; {source.checked})"
        yield from _text(line, knowledge.words, hang=2)


def _end(assessment: Assessment, knowledge: Knowledge, *, software_version: str) -> Iterator[str]:
    words = knowledge.words
    yield ""
    software = f"Fillertrace {software_version}. " if software_version else ""
    made = words.say("text.edition", edition=assessment.edition, digest=assessment.digest, status=knowledge.status)
    yield from _text(software + made, words, indent=0)
    yield from _text(words.say(STATEMENT), words, indent=0)
