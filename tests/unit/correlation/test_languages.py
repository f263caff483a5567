"""Every language says everything: no id of the code or of the knowledge base is without words, and none is too much."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from correlation.assess import assess
from correlation.assessment import Attribution, Category, Reply, Strength
from correlation.dates import DateRange
from correlation.errors import KnowledgeError
from correlation.knowledge_base import files_under, load_knowledge, read_knowledge
from correlation.timeline import DataClass, FindingKind, PatientTimeline, Side, WithheldBecause
from correlation.words import lookup
from correlation.worksheet_text import worksheet_text
from fhir_mappings.code_tables import code_table
from fhir_mappings.language_rules import languages
from tests.builders import AS_OF, finding, injection
from tests.builders import cause as cause_of
from tests.unit.correlation.test_questions import TABLE

ROOT = Path(__file__).parents[3]
KNOWLEDGE = load_knowledge()
WORDS = [knowledge.words for knowledge in KNOWLEDGE.in_languages.values()]
LOADED = dict(files_under(files("correlation") / "knowledge"))
NEVER = re.compile(
    r"\bbenign|\bexcluded\b|no follow-up needed|\bdescartad[oa]s?\b|no precisa seguimiento",
    re.IGNORECASE,
)


def _strings(path: Path) -> Iterator[str]:
    """Every string in a source file; of one that is filled in, what stands before the first brace, with a star."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            yield f"{node.values[0].value!s}*"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _used() -> set[str]:
    sources = [path for room in ("correlation", "fhir_mappings") for path in (ROOT / room).rglob("*.py")]
    found = {text for path in sources for text in _strings(path)}
    template = (ROOT / "fhir_mappings" / "templates" / "worksheet.html.j2").read_text(encoding="utf-8")
    return found | set(re.findall(r'"((?:page|sheet)\.\w+)"', template))


def test_every_sentence_is_said_somewhere_and_every_sentence_said_has_words() -> None:
    used = _used()
    starts = tuple(text[:-1] for text in used if re.fullmatch(r"[a-z]+\.[a-z_]*\*", text))
    assert starts
    for sentence in KNOWLEDGE.words.sentences:
        assert sentence in used or sentence.startswith(starts), f"nobody says {sentence}"
    areas = {sentence.partition(".")[0] for sentence in KNOWLEDGE.words.sentences if "." in sentence}
    named = {text for text in used if re.fullmatch(rf"(?:{'|'.join(areas)})\.[a-z_]+", text)}
    assert {name for name in named if f"{name}*" not in used and not name.endswith(".toml")} <= set(
        KNOWLEDGE.words.sentences
    )


def test_every_word_that_a_fact_may_hold_has_a_term() -> None:
    rules = [*languages().values()]
    assert rules
    needed = {str(item.value) for kind in (Reply, Strength, Category, Attribution, FindingKind, Side) for item in kind}
    needed |= {f"data_{item}" for item in DataClass} | {f"unseen_{item}" for item in WithheldBecause}
    imaging = code_table("imaging_findings")
    for part in ("morphology", "tissue", "density", "change", "signs"):
        needed |= set(imaging[part]["words"])
    needed |= {row["id"] for row in code_table("conditions")["condition"]}
    needed |= {row["id"] for row in code_table("medications")["medication"]}
    for words in WORDS:
        assert needed <= set(words.terms), words.code


@pytest.mark.parametrize("code", sorted(KNOWLEDGE.in_languages))
def test_a_language_names_all_that_the_knowledge_base_holds(code: str) -> None:
    spoken = KNOWLEDGE.in_language(code)
    assert spoken.digest == KNOWLEDGE.digest
    assert spoken.base is KNOWLEDGE
    assert spoken.words.regions.keys() == KNOWLEDGE.regions.keys()
    assert spoken.words.labs.keys() == KNOWLEDGE.labs.keys()
    for cause in KNOWLEDGE.causes.values():
        told = spoken.causes[cause.id]
        assert [question.id for question in told.questions] == [question.id for question in cause.questions]
        assert [(question.yes, question.no, question.parameters) for question in told.questions] == [
            (question.yes, question.no, question.parameters) for question in cause.questions
        ]
        if code != KNOWLEDGE.words.code:
            assert all(there.ask != here.ask for there, here in zip(told.questions, cause.questions, strict=True)), (
                cause.id
            )
            assert told.summary != cause.summary


@pytest.mark.parametrize("code", sorted(KNOWLEDGE.in_languages))
def test_no_language_says_what_must_never_be_said(code: str) -> None:
    path = f"languages/{code}.toml"
    text = "\n".join(line for line in LOADED[path].decode().splitlines() if not line.startswith("#"))
    assert not NEVER.search(text)


FAULTS = {
    "sentence missing": ('on_bone = "se describe adherido al hueso"\n', "", "sentences.site.on_bone: is missing"),
    "sentence too much": (
        "[sentences.answer]\n",
        '[sentences.answer]\nmore = "x"\n',
        "answer.more: stands in no English",
    ),
    "part renamed": ('at = "{kind}, {site}"', 'at = "{clase}, {site}"', "finding.at: has not the parts in braces"),
    "brace alone": ('at = "{kind}, {site}"', 'at = "{kind, {site}"', "finding.at: has a brace without its partner"),
    "term missing": ('plaque = "placa"\n', "", "terms.plaque: is missing"),
    "term too much": ('plaque = "placa"\n', 'plaque = "placa"\nplaca = "placa"\n', "terms.placa: stands in no English"),
    "region missing": ('malar = "Región malar"\n', "", "regions.malar: is missing"),
    "region too much": ('malar = "Región malar"\n', 'malar = "Región malar"\nmoon = "Luna"\n', "regions.moon: unknown"),
    "other code": ('code = "es"', 'code = "pt"', "code: is not the name of the file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_language_stops_the_start(fault: str) -> None:
    old, new, says = FAULTS[fault]
    text = LOADED["languages/es.toml"].decode()
    assert old in text
    with pytest.raises(KnowledgeError, match=re.escape(says)):
        read_knowledge({**LOADED, "languages/es.toml": text.replace(old, new, 1).encode()})


def test_the_base_language_has_to_be_there() -> None:
    with pytest.raises(KnowledgeError, match="is missing"):
        read_knowledge({path: content for path, content in LOADED.items() if path != "languages/en.toml"})


def test_a_third_language_is_a_third_file() -> None:
    text = LOADED["languages/es.toml"].decode().replace('code = "es"', 'code = "pt"')
    text = text.replace('malar = "Región malar"', 'malar = "Região malar"')
    knowledge = read_knowledge({**LOADED, "languages/pt.toml": text.encode()})
    assert knowledge.in_language("pt").regions["malar"].name == "Região malar"
    assert knowledge.in_language("es").regions["malar"].name == "Región malar"


def test_an_unknown_language_is_the_base_language() -> None:
    assert KNOWLEDGE.in_language("fr") is KNOWLEDGE


def test_a_checked_translation_stops_saying_that_it_is_unchecked() -> None:
    text = LOADED["languages/es.toml"].decode()
    assert KNOWLEDGE.in_language("es").words.unchecked
    signed = text.replace('checked_by = ""', 'checked_by = "Dra. Nadie"\nreviewed_on = 2027-01-01', 1)
    assert read_knowledge({**LOADED, "languages/es.toml": signed.encode()}).in_language("es").words.unchecked == ""


@pytest.mark.parametrize(
    ("row", "english", "spanish"),
    [
        ([], "", ""),
        (["a"], "a", "a"),
        (["a", "b", "a"], "a and b", "a y b"),
        (["a", "b", "ibuprofeno"], "a, b and ibuprofeno", "a, b e ibuprofeno"),
        (["calcio", "hipercalcemia"], "calcio and hipercalcemia", "calcio e hipercalcemia"),
        (["calcio", "hierro"], "calcio and hierro", "calcio y hierro"),
    ],
)
def test_a_row_of_words(row: list[str], english: str, spanish: str) -> None:
    assert KNOWLEDGE.words.joined(row) == english
    assert KNOWLEDGE.in_language("es").words.joined(row) == spanish


def test_a_choice_of_words() -> None:
    assert KNOWLEDGE.in_language("es").words.either(["TC", "otro"]) == "TC u otro"
    assert KNOWLEDGE.words.either(["CT", "other"]) == "CT or other"


def test_dates_and_months() -> None:
    spanish = KNOWLEDGE.in_language("es").words
    apart = DateRange(earliest=DateRange.year(2018).earliest, latest=DateRange.month(2019, 2).latest)
    assert spanish.day(apart) == "2018-01-01 a 2019-02-28"
    assert spanish.day(DateRange.month(2018, 5)) == "2018-05"
    assert spanish.day(None) == "fecha desconocida"
    assert [spanish.months(1, 1), spanish.months(3, 3), spanish.months(3, 4)] == ["1 mes", "3 meses", "3 a 4 meses"]


@pytest.mark.parametrize(
    ("tag", "found"), [("es", "es"), ("ES-mx", "es"), ("es-Latn-x-own", "es"), ("fr", None), ("", None)]
)
def test_a_tag_is_looked_up_without_its_last_parts(tag: str, found: str | None) -> None:
    assert lookup(tag, {"en", "es"}) == found


def test_the_language_changes_the_words_and_nothing_else() -> None:
    timeline = PatientTimeline(injections=(injection(on="2018-10-15"),), findings=(finding(on="2019-10-15"),))
    here = assess(timeline, KNOWLEDGE, as_of=AS_OF)
    there = assess(timeline, KNOWLEDGE.in_language("es"), as_of=AS_OF)
    assert here.attribution == there.attribution
    assert [(item.cause, item.category) for item in here.differential] == [
        (item.cause, item.category) for item in there.differential
    ]
    for mine, theirs in zip(here.differential, there.differential, strict=True):
        assert [(one.question, one.reply, one.strength) for one in mine.answers] == [
            (one.question, one.reply, one.strength) for one in theirs.answers
        ]
        assert [change.questions for change in mine.would_change] == [
            change.questions for change in theirs.would_change
        ]
    spanish = worksheet_text(there, KNOWLEDGE.in_language("es"))
    assert "Atribución: EXPLICADO" in spanish
    assert "La traducción al español no ha sido revisada por un clínico." in spanish
    assert "hidroxiapatita de calcio" in spanish


@pytest.mark.parametrize("code", sorted(KNOWLEDGE.in_languages))
def test_every_reply_is_said_in_every_language(code: str) -> None:
    knowledge = KNOWLEDGE.in_language(code)
    for question, asker, facts, reply in TABLE:
        answer = assess(facts, knowledge, as_of=AS_OF)
        told = next(one for one in cause_of(answer, asker).answers if one.question == question)
        assert told.reply is reply
        assert told.because
        assert all(fact.what and fact.why for fact in answer.unused)
