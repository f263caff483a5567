"""This file answers questions about the studies themselves: were they reported, was anything described."""

from __future__ import annotations

from collections.abc import Sequence

from correlation.assessment import FindingCourse, Reply
from correlation.chart import Asked, Chart, Clause, Said, written
from correlation.timeline import Certainty, ImagingExam
from correlation.withheld import OF_FINDINGS, concluded
from correlation.words import Words


def imaging_reported(chart: Chart, asked: Asked) -> Said:
    """Is a report or a coded finding of an imaging study in reach?"""
    exams = chart.timeline.exams
    reported = [exam for exam in exams if exam.reported]
    if reported:
        return Said(
            Reply.YES,
            lambda words: words.say("imaging.reported", studies=exam_words(reported, words)),
            tuple(exam.source for exam in reported),
        )
    if chart.timeline.findings:
        return Said(Reply.YES, "imaging.finding_on_record")
    if exams:
        return Said(
            Reply.NOT_KNOWN,
            lambda words: words.say("imaging.no_report", studies=exam_words(exams, words)),
            tuple(exam.source for exam in exams),
        )
    return Said(Reply.NOT_KNOWN, "imaging.none")


def no_target_described(chart: Chart, asked: Asked) -> Said:
    """Do the reports in reach describe no deposit, calcification, mass or implant that asks for an explanation?"""
    if chart.findings:
        findings = chart.findings
        return Said(Reply.NO, lambda words: words.say("form.described", what=_described(words, findings)))
    reported = imaging_reported(chart, asked)
    if reported.reply is not Reply.YES:
        return Said(Reply.NOT_KNOWN, reported.because, reported.evidence)
    nothing = Said(
        Reply.YES,
        lambda words: words.say("imaging.nothing_described", reported=written(reported.because, words)),
        reported.evidence,
    )
    return concluded(chart, nothing, from_absence=Reply.YES, held_in=OF_FINDINGS)


def looked_for_and_absent(chart: Chart, asked: Asked) -> Said:
    """Does a report say that it was looked for and not seen?"""
    negated = [item for item in chart.timeline.findings if item.certainty is Certainty.NEGATED]
    if negated:
        told = "; ".join(dict.fromkeys(f'"{item.quote}"' for item in negated if item.quote))
        because: Clause = (lambda _: told) if told else "imaging.coded_absent"
        return Said(Reply.YES, because, tuple(item.source for item in negated))
    return Said(Reply.NOT_KNOWN, "imaging.absence_not_told")


def _described(words: Words, findings: Sequence[FindingCourse]) -> str:
    return "; ".join(words.finding(finding.kind, finding.site) for finding in findings)


def exam_words(exams: Sequence[ImagingExam], words: Words) -> str:
    """Studies in a few words."""
    return ", ".join(
        words.say("imaging.study_of", study=words.study(exam), day=words.day(exam.started)) for exam in exams
    )
