"""This file answers questions about the studies themselves: were they reported, was anything described."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import Case, Said, written
from correlation.timeline import Certainty, ImagingExam


def imaging_reported(case: Case) -> Said:
    """Is a report or a coded finding of an imaging study in reach?"""
    exams = case.chart.timeline.exams
    reported = [exam for exam in exams if exam.reported]
    if reported:
        return Said(Reply.YES, lambda: f"reported: {exam_words(reported)}", tuple(exam.source for exam in reported))
    if case.chart.timeline.findings:
        return Said(Reply.YES, "a finding is on record")
    if exams:
        return Said(Reply.NOT_KNOWN, f"no report in reach: {exam_words(exams)}", tuple(exam.source for exam in exams))
    return Said(Reply.NOT_KNOWN, "no imaging in reach")


def no_target_described(case: Case) -> Said:
    """Do the reports in reach describe no deposit, calcification, mass or implant that asks for an explanation?"""
    if case.chart.findings:
        findings = case.chart.findings
        return Said(Reply.NO, lambda: f"described: {'; '.join(finding.key.replace(':', ', ') for finding in findings)}")
    reported = imaging_reported(case)
    if reported.reply is not Reply.YES:
        return Said(Reply.NOT_KNOWN, reported.because, reported.evidence)
    return Said(Reply.YES, f"nothing to explain is described; {written(reported.because)}", reported.evidence)


def looked_for_and_absent(case: Case) -> Said:
    """Does a report say that it was looked for and not seen?"""
    negated = [item for item in case.chart.timeline.findings if item.certainty is Certainty.NEGATED]
    if negated:
        told = "; ".join(dict.fromkeys(f'"{item.quote}"' for item in negated if item.quote)) or "coded as absent"
        return Said(Reply.YES, told, tuple(item.source for item in negated))
    return Said(Reply.NOT_KNOWN, "no report says so in words")


def exam_words(exams: list[ImagingExam] | tuple[ImagingExam, ...]) -> str:
    """Studies in a few words."""
    return ", ".join(
        f"{exam.description or '/'.join(sorted(exam.modalities)) or 'imaging'} of {exam.started or 'an unknown date'}"
        for exam in exams
    )
