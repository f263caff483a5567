"""Clinical summary, section 8, "Report MUST contain": tested on every case, as text and as HTML."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape

import pytest

from correlation.assessment import Assessment, Category
from correlation.knowledge_base import load_knowledge
from fhir_mappings.stateless import StatelessResult, correlate_bundle
from tests.clinical.scoring import AS_OF
from tests.examples import CASE_IDS, CONSTRUCTED_IDS, case_bytes

EVERY_CASE = [*CASE_IDS, *CONSTRUCTED_IDS]
SOFTWARE = "7.6.5-checklist"
RANKED = (Category.PROBABLE, Category.POSSIBLE)
NEVER_SAID = ("no disease", "benign", "no follow-up needed", "excluded")


@lru_cache(maxsize=len(EVERY_CASE))
def _result(case_id: str) -> StatelessResult:
    issued = datetime(2026, 11, 1, 12, tzinfo=UTC)
    return correlate_bundle(
        case_bytes(case_id), knowledge=load_knowledge(), as_of=AS_OF, issued=issued, software_version=SOFTWARE
    )


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _forms(case_id: str) -> tuple[Assessment, str, str]:
    """The assessment, the plain text and the words of the HTML, blanks made alike."""
    result = _result(case_id)
    page = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", result.html, flags=re.DOTALL)
    page = unescape(re.sub(r"<[^>]+>", " ", page))
    return result.assessment, _words(result.worksheet), _words(page)


def _has(text: str, part: object) -> bool:
    """Whether the words stand there; capitals, marks and blanks do not matter, for a page begins its sentences."""
    return re.sub(r"\W+", "", str(part)).casefold() in re.sub(r"\W+", "", text).casefold()


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_what_was_asked_and_the_statement(case_id: str) -> None:
    _, text, page = _forms(case_id)
    for form in (text, page):
        assert "explain the deposits described on imaging" in form
        assert "not a diagnosis" in form
        assert "for review by a licensed clinician" in form


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_each_finding_with_its_words_and_its_source(case_id: str) -> None:
    assessment, text, page = _forms(case_id)
    for item in assessment.findings:
        for mention in item.finding.seen:
            for form in (text, page):
                assert _has(form, mention.source.reference)
                assert not mention.quote or _has(form, mention.quote), mention.quote


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_each_filler_event_used_or_not_with_the_reason(case_id: str) -> None:
    assessment, text, page = _forms(case_id)
    reasons = {fact.source: fact.why for fact in assessment.unused}
    used = {injection.source for item in assessment.findings for injection in item.injections}
    for injection in assessment.timeline.injections:
        for form in (text, page):
            assert _has(form, injection.source.reference)
            assert _has(form, injection.product or injection.material)
            assert _has(form, injection.performed or "unknown date") or injection.performed is None
        assert injection.source in used or injection.source in reasons
        if injection.source not in used:
            assert _has(text, reasons[injection.source])


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_laboratory_results_with_date_unit_and_range_and_what_is_missing(case_id: str) -> None:
    assessment, text, page = _forms(case_id)
    newest = {result.test: result for result in assessment.timeline.labs}
    for result in newest.values():
        for form in (text, page):
            assert _has(form, result.source.reference)
            assert _has(form, result.as_written), result.as_written
            assert result.collected is None or _has(form, result.collected)
    for missing in assessment.missing:
        for form in (text, page):
            assert _has(form, missing)


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_the_ranking_for_against_and_cited(case_id: str) -> None:
    assessment, text, page = _forms(case_id)
    sources = load_knowledge().sources
    for item in assessment.differential:
        assert _has(text, item.name)
        assert _has(page, item.name)
        if item.category not in RANKED:
            continue
        for answer in item.answers:
            assert _has(text, answer.because)
            assert _has(page, answer.because)
            for source in answer.sources:
                assert f"[{source}]" in text
                assert _has(page, sources[source].title)


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_what_would_change_the_limits_and_the_versions(case_id: str) -> None:
    assessment, text, page = _forms(case_id)
    assert "What would change" in text
    for form in (text, page):
        assert all(_has(form, change.says) for change in assessment.would_change)
        assert assessment.limitations
        assert all(_has(form, limit) for limit in assessment.limitations)
        assert SOFTWARE in form
        assert assessment.edition in form
        assert assessment.digest in form


@pytest.mark.parametrize("case_id", EVERY_CASE)
def test_nothing_is_said_that_must_never_be_said(case_id: str) -> None:
    assessment, _, _ = _forms(case_id)
    report = _result(case_id).bundle["entry"][0]["resource"]
    assert report["status"] == "preliminary"
    for words in NEVER_SAID:
        assert words not in assessment.conclusion.casefold()
    sentences = [part for part in re.split(r"(?<=[.])\s+(?=[A-Z])", assessment.conclusion) if part]
    assert 2 <= len(sentences) <= 4, sentences
