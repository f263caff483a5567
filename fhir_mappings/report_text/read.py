"""This file reads a radiologist's report: sentence by sentence into findings of the form that coded data gives."""

from __future__ import annotations

from dataclasses import dataclass

from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, ImagingExam, ImagingFinding, ResourceRef
from fhir_mappings.folding import fold
from fhir_mappings.language_rules import Language, languages
from fhir_mappings.phrases import words_of
from fhir_mappings.report_text.drafts import Draft, with_atheroma_aside
from fhir_mappings.report_text.earlier import comparison_year, with_earlier_mention
from fhir_mappings.report_text.kinds import density_for
from fhir_mappings.report_text.reader import Reader
from fhir_mappings.report_text.sentences import SILENT, language_of, outline_of, plain_text
from fhir_mappings.text_sites import sites_in_text

_MOST_TITLE_SITES = 4
_CONE_BEAM = ("cbct", "cone beam", "cone-beam", "haz conico")
_LONGEST_REPORT = 40_000  # characters; a report is a tenth of this, and no text may hold a worker up


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReading:
    """What was read from a report.

    `notes` are codes of what was seen and left: `outside-target` (a lung nodule), `only-asked-about`, `explanation`,
    `text-cut` (the text is longer than any report; its end was not read).
    """

    findings: tuple[ImagingFinding, ...]
    notes: tuple[str, ...]
    language: str


def read_report(
    text: str,
    *,
    source: ResourceRef,
    exam: ImagingExam | None,
    knowledge: Knowledge,
    language: str | None = None,
) -> ReportReading:
    """Read a report's text, plain or HTML. `source` is the report, `exam` the imaging it speaks of, if known.

    `language` is a code such as `es` or `es-ES`; without one that has rules here, the text tells.
    """
    plain = plain_text(text[:_LONGEST_REPORT])
    rules = languages()
    code = (language or "").lower()[:2]
    chosen = rules[code if code in rules else language_of(plain, rules)]
    outline = outline_of(plain, chosen)
    title = outline.title or (exam.description if exam else "")
    reader = Reader(
        language=chosen,
        knowledge=knowledge,
        modalities=_modalities(exam, title, chosen),
        title_sites=_title_sites(title, exam, knowledge),
        cone_beam=_is_cone_beam(f"{title} {exam.description if exam else ''}"),
    )
    for sentence in outline.sentences:
        if sentence.section != SILENT:
            reader.read(sentence)
    if len(text) > _LONGEST_REPORT:
        reader.notes.append("text-cut")
    compared_with = comparison_year(plain)
    findings = tuple(
        mention
        for draft in with_atheroma_aside(reader.drafts)
        for mention in with_earlier_mention(
            _finding(draft, source=source, exam=exam, reader=reader), compared_with=compared_with, words=knowledge.words
        )
    )
    return ReportReading(findings=findings, notes=tuple(dict.fromkeys(reader.notes)), language=chosen.code)


def _modalities(exam: ImagingExam | None, title: str, language: Language) -> frozenset[str]:
    if exam and exam.modalities:
        return exam.modalities
    found = language.phrases.find(words_of(title).words).get("modality", ())
    return frozenset(match.payload for match in found)


def _is_cone_beam(title: str) -> bool:
    """Say whether a study is cone beam CT, whose grey values are no Hounsfield units (clinical summary, section 1)."""
    return any(name in fold(title) for name in _CONE_BEAM)


def _title_sites(title: str, exam: ImagingExam | None, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """Read the regions an exam is named after, for findings whose sentence names none: "radiograph of thighs"."""
    sites = sites_in_text(title, knowledge) or (exam.regions if exam else ())
    usable = tuple(
        site for site in sites if (region := knowledge.regions.get(site.region)) is not None and region.filler_site
    )
    return usable if len(usable) <= _MOST_TITLE_SITES else ()


def _finding(draft: Draft, *, source: ResourceRef, exam: ImagingExam | None, reader: Reader) -> ImagingFinding:
    words = reader.knowledge.words
    attributes = draft.attributes
    where = words.say("read.exam_name") if draft.from_title else words.term(f"section_{draft.section}")
    return ImagingFinding(
        source=source,
        exam=exam.source if exam else None,
        seen=exam.started if exam else None,
        kind=draft.kind,
        site=draft.site,
        certainty=draft.certainty,
        tissue=attributes.tissue,
        morphology=attributes.morphology,
        density=density_for(draft.kind, attributes),
        on_bone=attributes.on_bone,
        attenuation_hu=None if reader.cone_beam else attributes.attenuation_hu,
        size_mm=attributes.size_mm,
        count=attributes.count,
        change=attributes.change,
        suv_max=attributes.suv_max,
        signs=attributes.signs,
        modalities=reader.modalities,
        quote=" … ".join(draft.quotes),
        recognised_by=words.say("read.report_text", language=reader.language.code, where=where),
    )
