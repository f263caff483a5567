"""This file reads the words of a language from its file, strictly: nothing missing, nothing too much, nothing misspelt.

The base language's names and questions stand in the files of causes, materials, regions, tests and alerts; every other
language brings its own for each of them. A sentence has the same parts in braces in every language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from string import Formatter
from types import MappingProxyType
from typing import TypeVar

from correlation.catalogue import Analyte, Cause, Knowledge, Material, Question, Region
from correlation.errors import KnowledgeError
from correlation.knowledge_reader import read_review
from correlation.knowledge_table import Table, parse_file
from correlation.words import BASE_LANGUAGE, AlertWords, CauseWords, Words

T = TypeVar("T")

FOLDER = "languages"
# Parameters of questions whose words a sentence may list.
LISTED = ("morphology", "tissues", "densities", "kinds", "signs", "concepts")


def read_languages(content: Mapping[str, bytes], knowledge: Knowledge) -> Mapping[str, Knowledge]:
    """The knowledge in each language that has a file, by the language's code. Raises `KnowledgeError`."""
    paths = [path for path in sorted(content) if path.startswith(f"{FOLDER}/")]
    words = {one.code: one for one in (_words(path, content[path], knowledge) for path in paths)}
    base = words.get(BASE_LANGUAGE)
    if base is None:
        raise KnowledgeError(file=f"{FOLDER}/{BASE_LANGUAGE}.toml", key="", says="is missing")
    in_languages: dict[str, Knowledge] = {}
    for code, one in words.items():
        _compare(one, base)
        in_languages[code] = replace(_spoken(knowledge, one), words=one, in_languages=MappingProxyType(in_languages))
    return MappingProxyType(in_languages)


def _words(path: str, content: bytes, knowledge: Knowledge) -> Words:
    table = parse_file(path, content)
    code = table.text("code")
    if path != f"{FOLDER}/{code}.toml":
        raise table.wrong("code", "is not the name of the file")
    review = read_review(table)
    base = code == BASE_LANGUAGE
    unchecked = "" if base else table.text("unchecked")
    words = Words(
        code=code,
        name=table.text("name"),
        status=knowledge.status if base else table.text("status"),
        unchecked="" if review.checked_by else unchecked,
        sentences=_sentences(table.table("sentences")),
        terms=_texts(table.table("terms")),
        regions=_names(table, "regions", knowledge.regions, base=base),
        materials=_names(table, "materials", knowledge.materials, base=base),
        labs=_names(table, "labs", knowledge.labs, base=base),
        kinds=_phrases(table, "kinds", (item.kind for item in knowledge.sources.values()), base=base),
        checked=_phrases(table, "checked", (item.checked for item in knowledge.sources.values()), base=base),
        alerts=_alerts(table, knowledge, base=base),
        causes=_causes(table, knowledge, base=base),
    )
    table.done()
    _check_terms(path, words, knowledge)
    return words


def _texts(table: Table) -> Mapping[str, str]:
    return {name: table.text_or_blank(name) for name in table.data}


def _sentences(table: Table, *, before: str = "") -> dict[str, str]:
    """The sentences of all inner tables, by their path with points."""
    found: dict[str, str] = {}
    for name, value in table.data.items():
        if isinstance(value, dict):
            found |= _sentences(table.table(name), before=f"{before}{name}.")
        else:
            found[before + name] = table.text_or_blank(name)
    return found


def _names(
    table: Table, name: str, entries: Mapping[str, Region | Material | Analyte], *, base: bool
) -> Mapping[str, str]:
    """The name of each entry, from the entry itself in the base language."""
    if base:
        return {entry: known.name for entry, known in entries.items()}
    inner = table.table(name)
    names = {entry: inner.text(entry) for entry in entries}
    inner.done()
    return names


def _phrases(table: Table, name: str, phrases: Iterable[str], *, base: bool) -> Mapping[str, str]:
    """The words for each phrase that stands in the knowledge base as it is, by the phrase."""
    if base:
        return {phrase: phrase for phrase in phrases}
    inner = table.table(name)
    found = {phrase: inner.text(phrase) for phrase in dict.fromkeys(phrases)}
    inner.done()
    return found


def _alerts(table: Table, knowledge: Knowledge, *, base: bool) -> Mapping[str, AlertWords]:
    if base:
        return {code: AlertWords(name=alert.name, says=alert.says) for code, alert in knowledge.alerts.items()}
    inner = table.table("alerts")
    found = {code: _alert(inner.table(code)) for code in knowledge.alerts}
    inner.done()
    return found


def _alert(row: Table) -> AlertWords:
    words = AlertWords(name=row.text("name"), says=row.text("says"))
    row.done()
    return words


def _causes(table: Table, knowledge: Knowledge, *, base: bool) -> Mapping[str, CauseWords]:
    if base:
        return {
            cause.id: CauseWords(
                name=cause.name,
                summary=cause.summary,
                next_step=cause.next_step,
                ask={question.id: question.ask for question in cause.questions},
            )
            for cause in knowledge.causes.values()
        }
    inner = table.table("causes")
    found = {
        cause.id: _cause(inner.table(cause.id), [question.id for question in cause.questions])
        for cause in knowledge.causes.values()
    }
    inner.done()
    return found


def _cause(row: Table, questions: Iterable[str]) -> CauseWords:
    asked = row.table("ask")
    words = CauseWords(
        name=row.text("name"),
        summary=row.text("summary"),
        next_step=row.text("next_step"),
        ask={question: asked.text(question) for question in questions},
    )
    asked.done()
    row.done()
    return words


def _check_terms(path: str, words: Words, knowledge: Knowledge) -> None:
    """Every word that a question may list and every alert has a term."""
    needed = {f"alert_{code}" for code in knowledge.alerts}
    for cause in knowledge.causes.values():
        for question in cause.questions:
            for name, listed in question.parameters.items():
                if name.removeprefix("not_").removeprefix("never_") in LISTED:
                    needed.update(listed)
    for term in sorted(needed - set(words.terms)):
        raise KnowledgeError(file=path, key=f"terms.{term}", says="is missing")


def _compare(words: Words, base: Words) -> None:
    """The same sentences with the same parts in braces, and the same terms."""
    file = f"{FOLDER}/{words.code}.toml"
    for section, own, theirs in (
        ("sentences", words.sentences, base.sentences),
        ("terms", words.terms, base.terms),
    ):
        for name in sorted(set(theirs) - set(own)):
            raise KnowledgeError(file=file, key=f"{section}.{name}", says="is missing")
        for name in sorted(set(own) - set(theirs)):
            raise KnowledgeError(file=file, key=f"{section}.{name}", says=f"stands in no {base.name} file")
    for name, sentence in words.sentences.items():
        if _parts(sentence, file, name) != _parts(base.sentences[name], file, name):
            raise KnowledgeError(file=file, key=f"sentences.{name}", says="has not the parts in braces of its original")


def _parts(sentence: str, file: str, name: str) -> set[str]:
    try:
        return {part for _, part, _, _ in Formatter().parse(sentence) if part is not None}
    except ValueError:
        raise KnowledgeError(file=file, key=f"sentences.{name}", says="has a brace without its partner") from None


def _spoken(knowledge: Knowledge, words: Words) -> Knowledge:
    """The same knowledge with its names and questions in another language. Ids, numbers and sources are the same."""
    return replace(
        knowledge,
        status=words.status,
        regions=_proxy({id_: replace(item, name=words.regions[id_]) for id_, item in knowledge.regions.items()}),
        materials=_proxy({id_: replace(item, name=words.materials[id_]) for id_, item in knowledge.materials.items()}),
        labs=_proxy({id_: replace(item, name=words.labs[id_]) for id_, item in knowledge.labs.items()}),
        sources=_proxy(
            {
                id_: replace(item, kind=words.kinds[item.kind], checked=words.checked[item.checked])
                for id_, item in knowledge.sources.items()
            }
        ),
        alerts=_proxy(
            {
                code: replace(rule, name=words.alerts[code].name, says=words.alerts[code].says)
                for code, rule in knowledge.alerts.items()
            }
        ),
        causes=_proxy({id_: _spoken_cause(cause, words.causes[id_]) for id_, cause in knowledge.causes.items()}),
    )


def _spoken_cause(cause: Cause, words: CauseWords) -> Cause:
    return replace(
        cause,
        name=words.name,
        summary=words.summary,
        next_step=words.next_step,
        questions=tuple(_spoken_question(question, words) for question in cause.questions),
    )


def _spoken_question(question: Question, words: CauseWords) -> Question:
    return replace(question, ask=words.ask[question.id])


def _proxy(entries: dict[str, T]) -> Mapping[str, T]:
    return MappingProxyType(entries)
