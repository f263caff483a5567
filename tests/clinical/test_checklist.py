"""Clinical summary, section 8, "Report MUST contain": tested on every case, as text and as HTML, in every language."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape

import pytest

from correlation.assessment import Assessment, Attribution, Category, Strength
from correlation.knowledge_base import load_knowledge
from fhir_mappings.stateless import StatelessResult
from tests.clinical.scoring import AS_OF
from tests.correlated import correlate_bundle
from tests.examples import CASE_IDS, CONSTRUCTED_IDS, case_bytes

EVERY_CASE = [*CASE_IDS, *CONSTRUCTED_IDS]
KNOWLEDGE = load_knowledge()
LANGUAGES = sorted(KNOWLEDGE.in_languages)
SOFTWARE = "7.6.5-checklist"
RANKED = (Category.PROBABLE, Category.POSSIBLE)
NEVER_SAID = (
    *("no disease", "benign", "no follow-up needed", "excluded"),
    *("benigno", "descartad", "no precisa seguimiento", "sin enfermedad"),
)
# Sentences that have to stand there word for word, apart from the catalogue of words that the code reads.
STATED = {
    "en": ("explain the deposits described on imaging", "not a diagnosis", "for review by a licensed clinician"),
    "es": (
        "los depósitos descritos en la imagen",
        "no un diagnóstico",
        "para revisión por un clínico colegiado",
        "La traducción al español no ha sido revisada por un clínico.",
    ),
}
FITS = {"en": ("likely explained by", "does not exclude"), "es": ("se explican probablemente por", "no excluye")}

every_case = pytest.mark.parametrize("case_id", EVERY_CASE)
every_language = pytest.mark.parametrize("language", LANGUAGES)


@lru_cache(maxsize=len(EVERY_CASE) * len(LANGUAGES))
def _result(case_id: str, language: str) -> StatelessResult:
    issued = datetime(2026, 11, 1, 12, tzinfo=UTC)
    knowledge = KNOWLEDGE.in_language(language)
    return correlate_bundle(
        case_bytes(case_id), knowledge=knowledge, as_of=AS_OF, issued=issued, software_version=SOFTWARE
    )


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@lru_cache(maxsize=len(EVERY_CASE) * len(LANGUAGES))
def _forms(case_id: str, language: str) -> tuple[Assessment, str, str]:
    """The assessment, the plain text and the words of the HTML, blanks made alike."""
    result = _result(case_id, language)
    page = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", result.html, flags=re.DOTALL)
    page = unescape(re.sub(r"<[^>]+>", " ", page))
    return result.assessment, _words(result.worksheet), _words(page)


def _has(text: str, part: object) -> bool:
    """Whether the words stand there; capitals, marks and blanks do not matter, for a page begins its sentences."""
    return _squeezed(str(part)) in _squeezed(text)


@lru_cache(maxsize=1024)
def _squeezed(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


@every_language
@every_case
def test_what_was_asked_and_the_statement(case_id: str, language: str) -> None:
    _, text, page = _forms(case_id, language)
    for form in (text, page):
        for stated in STATED[language]:
            assert _has(form, stated), stated


@every_language
@every_case
def test_each_finding_with_its_words_and_its_source(case_id: str, language: str) -> None:
    assessment, text, page = _forms(case_id, language)
    for item in assessment.findings:
        for mention in item.finding.seen:
            for form in (text, page):
                assert _has(form, mention.source.reference)
                assert not mention.quote or _has(form, mention.quote), mention.quote


@every_language
@every_case
def test_each_filler_event_used_or_not_with_the_reason(case_id: str, language: str) -> None:
    assessment, text, page = _forms(case_id, language)
    words = KNOWLEDGE.in_language(language).words
    reasons = {(fact.source, fact.what): fact.why for fact in assessment.unused}
    used = {injection for item in assessment.findings for injection in item.injections}
    for injection in assessment.timeline.injections:
        for form in (text, page):
            assert _has(form, injection.source.reference)
            assert _has(form, injection.product or words.material(injection.material))
            assert injection.performed is None or _has(form, words.day(injection.performed))
        if injection not in used:
            for form in (text, page):
                assert _has(form, reasons[injection.source, words.injection(injection)])


@every_language
@every_case
def test_laboratory_results_with_date_unit_and_range_and_what_is_missing(case_id: str, language: str) -> None:
    assessment, text, page = _forms(case_id, language)
    words = KNOWLEDGE.in_language(language).words
    newest = {result.test: result for result in assessment.timeline.labs}
    for result in newest.values():
        for form in (text, page):
            assert _has(form, result.source.reference)
            assert _has(form, words.result(result.as_written)), result.as_written
            assert result.collected is None or _has(form, words.day(result.collected))
            assert _has(form, result.range_as_written)
            assert _has(form, result.unusable_because or "")
        if result.value is not None and not result.as_written:
            assert _has(text, result.unit)
    for missing in assessment.missing:
        for form in (text, page):
            assert _has(form, missing)


@every_language
@every_case
def test_the_ranking_for_against_and_cited(case_id: str, language: str) -> None:
    assessment, text, page = _forms(case_id, language)
    knowledge = KNOWLEDGE.in_language(language)
    for item in assessment.differential:
        assert _has(text, item.name)
        assert _has(page, item.name)
        if item.category not in RANKED:
            continue
        for answer in item.answers:
            assert _has(text, answer.because)
            assert _has(page, answer.because)
            for form in (text, page):
                assert _has(form, answer.ask)
                assert all(_has(form, ref.reference) for ref in answer.evidence)
            assert knowledge.words.term(answer.reply.value) in text
            assert answer.strength is Strength.NONE or _has(page, knowledge.words.term(answer.strength.value))
            for source in answer.sources:
                assert f"[{source}]" in text
                known = knowledge.sources[source]
                for form in (text, page):  # the source, what it is, and how much of it was read: how certain it is
                    assert all(_has(form, part) for part in (known.title, known.kind, known.checked))


@every_language
@every_case
def test_what_would_change_the_limits_and_the_versions(case_id: str, language: str) -> None:
    assessment, text, page = _forms(case_id, language)
    assert KNOWLEDGE.in_language(language).words.say("text.changes") in text
    for form in (text, page):
        assert all(_has(form, change.says) for change in assessment.would_change)
        assert assessment.limitations
        assert all(_has(form, limit) for limit in assessment.limitations)
        assert SOFTWARE in form
        assert assessment.edition in form
        assert assessment.digest in form
        assert _has(form, KNOWLEDGE.in_language(language).status)


@every_language
@every_case
def test_what_fits_is_said_to_be_likely_and_never_alone(case_id: str, language: str) -> None:
    assessment, _, _ = _forms(case_id, language)
    if assessment.attribution is Attribution.EXPLAINED:
        assert all(words in assessment.conclusion for words in FITS[language])
        dates = {str(one.performed) for item in assessment.findings for one in item.injections if one.performed}
        assert dates
        assert any(day in assessment.conclusion for day in dates)


@every_language
@every_case
def test_nothing_is_said_that_must_never_be_said(case_id: str, language: str) -> None:
    assessment, _, _ = _forms(case_id, language)
    report = _result(case_id, language).bundle["entry"][0]["resource"]
    assert report["status"] == "preliminary"
    assert report["language"] == language
    told = [assessment.conclusion, assessment.because, *assessment.limitations, *assessment.missing]
    told += [answer.because for item in assessment.differential for answer in item.answers if '"' not in answer.because]
    for words in NEVER_SAID:
        assert not [text for text in told if words in text.casefold()], words
    sentences = [part for part in re.split(r"(?<=[.])\s+(?=[A-ZÁÉÍÓÚ])", assessment.conclusion) if part]
    assert 2 <= len(sentences) <= 4, sentences
