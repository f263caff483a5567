"""This file parts a report into its title, its sections and its sentences, and tells its language."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir_mappings.folding import composed, fold
from fhir_mappings.language_rules import Language
from fhir_mappings.phrases import bare_words_of

_TAG = re.compile(r"<[^>]{0,400}>")
_SILENT_TAG = re.compile(r"<(script|style|head|title)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BLOCK_TAG = re.compile(r"</?(?:p|div|h[1-6]|li|ul|ol|tr|table|br|section|body|hr)\b[^>]{0,400}>", re.IGNORECASE)
_LOOKS_LIKE_HTML = re.compile(r"</?(?:html|body|p|div|br|span|h[1-6]|li|table|b)\b[^>]*>", re.IGNORECASE)
_BLANK = re.compile(r"\s+")
_BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)](?!\d))\s+")
_END = re.compile(r"[.!](?=\s|$)|\?(?=\s+[A-ZÁÉÍÓÚÑ¿]|\s*$)")
_HEADING = re.compile(r"\s*([^:.;,]{2,60}?)\s*:")
_LAST_WORD = re.compile(r"([^\s(]+)\.$")
_ENOUGH_FOR_LANGUAGE = 800  # characters
_SHORT_LINE = 60
_TITLE_LENGTH = 120
FINDINGS = "findings"
SILENT = "silent"
CLOSING = "closing"  # recommendations: silent, and no findings follow in their paragraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence with the section it stands in: findings, impression or silent. Blanks are made single."""

    text: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A report in parts: the words that name the examination, and the sentences."""

    title: str
    sentences: tuple[Sentence, ...]


def plain_text(text: str) -> str:
    """Return a report's text without HTML tags, a blank line where a block ends; plain text stays as it is."""
    if not _LOOKS_LIKE_HTML.search(text):
        return composed(text)
    without = _BLOCK_TAG.sub("\n\n", _SILENT_TAG.sub(" ", text))
    return composed(html.unescape(_TAG.sub(" ", without)))


def language_of(text: str, rules: Mapping[str, Language]) -> str:
    """Tell the language by its commonest small words; where they tell nothing, by the words of its rules."""
    words = bare_words_of(text[:_ENOUGH_FOR_LANGUAGE])
    counted = {code: sum(word in language.function_words for word in words) for code, language in rules.items()}
    most = max(counted.values())
    likely = [code for code, count in counted.items() if count == most]
    if len(likely) == 1:
        return likely[0]
    return max(likely, key=lambda code: (sum(map(len, rules[code].phrases.find(words).values())), code == "en"))


def outline_of(text: str, language: Language) -> Outline:
    """Part a report. Title: the words before the first colon, or a first short line, that name the modality."""
    title = ""
    section = FINDINGS
    sentences: list[Sentence] = []
    pieces = [
        (number, block, piece) for number, block in enumerate(_blocks(text)) for piece in _pieces(block, language)
    ]
    findings_open = max(
        (at for at, (_, _, piece) in enumerate(pieces) if _opens(piece, language) == FINDINGS), default=-1
    )
    last_block = pieces[-1][0] if pieces else 0
    silent_in = -1  # the block of the last silent sentence below the present heading
    for at, (number, block, rest) in enumerate(pieces):
        heading, after = _heading(rest, language)
        if not heading and not sentences:
            named, rest = _title(rest, block, language)
            title = title or named
            heading, after = _heading(rest, language) if named else (None, "")
        if heading:
            section, rest, silent_in = heading, after, -1
        elif (
            at > findings_open
            and silent_in >= 0
            and _is_over(section, number=number, silent_in=silent_in, last=last_block)
        ):
            section = FINDINGS
        if rest.strip(" .:"):
            silent = section in (SILENT, CLOSING)
            silent_in = number if silent else -1
            sentences.append(Sentence(text=rest, section=SILENT if silent else section))
    return Outline(title=title, sentences=tuple(sentences))


def _is_over(section: str, *, number: int, silent_in: int, last: int) -> bool:
    """Say whether a silent part ends here although no heading opens the findings again.

    It lasts for its paragraph, and where the report is one paragraph, for one sentence ("Technique: CT without
    contrast. Sinuses clear."); recommendations last for their paragraph.
    """
    if section not in (SILENT, CLOSING):
        return False
    return number != silent_in or (number == last and section == SILENT)


def _opens(piece: str, language: Language) -> str | None:
    return _heading(piece, language)[0]


def _blocks(text: str) -> Iterable[str]:
    """Join lines broken for width; part at blank lines, bullets, headings and short lines."""
    block = ""
    for line in text.splitlines():
        bare = _BULLET.sub("", line).strip()
        joins = (
            block
            and bare
            and not _BULLET.match(line)
            and not _HEADING.match(line)
            and (not bare[0].isupper() or (len(block) >= _SHORT_LINE and block[-1] not in ".:"))
        )
        if joins:
            block = f"{block} {bare}"
        else:
            if block:
                yield _BLANK.sub(" ", block)
            block = bare
    if block:
        yield _BLANK.sub(" ", block)


def _pieces(block: str, language: Language) -> Iterable[str]:
    start = 0
    for match in _END.finditer(block):
        last = _LAST_WORD.search(block[start : match.end()])
        if last and fold(last.group(1)) in language.abbreviations and match.end() < len(block):
            continue
        yield block[start : match.end()].strip()
        start = match.end()
    if block[start:].strip():
        yield block[start:].strip()


def _heading(piece: str, language: Language) -> tuple[str | None, str]:
    match = _HEADING.match(piece)
    if match:
        section = language.headings.get(fold(match.group(1)).strip())
        return section, piece[match.end() :].strip()
    section = language.headings.get(fold(piece).strip(" .:"))
    return section, ""


def _title(piece: str, block: str, language: Language) -> tuple[str, str]:
    """Take the examination's name off the first sentence."""
    head, colon, rest = piece.partition(":")
    if colon and len(head) <= _TITLE_LENGTH and _names_modality(head, language):
        return head.strip(), rest.strip()
    if (
        not colon
        and piece == block
        and piece[-1] not in ".!?"
        and len(piece) <= _TITLE_LENGTH
        and _names_modality(piece, language)
    ):
        return piece, ""
    return "", piece


def _names_modality(text: str, language: Language) -> bool:
    return "modality" in language.phrases.find(bare_words_of(text))
