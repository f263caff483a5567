"""This file gets the words of a DiagnosticReport: conclusion, attached text, HTML or RTF, narrative. Each wording once.

FHIR R4: https://hl7.org/fhir/R4/diagnosticreport.html, https://hl7.org/fhir/R4/datatypes.html#Attachment
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any, Final

from fhir_mappings.elements import concept_text, mapping, objects, plain, string
from fhir_mappings.record import Record, Source
from fhir_mappings.rtf_text import is_rtf, words_of_rtf

_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_BLOCKS: Final = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "dt", "dd", "hr"}
)
_SILENT: Final = frozenset({"script", "style", "head", "title"})
_READABLE: Final = ("text/plain", "text/html", "application/xhtml+xml", "application/rtf", "text/rtf", "")


def report_text(source: Source, record: Record) -> tuple[str, str | None]:
    """The words of a report, and the language it names. Blank where no words were sent; that leaves an issue."""
    resource = source.resource
    language = string(resource.get("language")) or None
    forms: list[str] = []
    for at, form in enumerate(objects(resource.get("presentedForm"))):
        text = _attached(form, f"{source.path}.presentedForm[{at}]", record)
        forms += [text] if text else []
        language = language or string(form.get("language")) or None
    texts = [*forms, string(resource.get("conclusion"))]
    if not any(texts):
        texts = [concept_text(one) for one in objects(resource.get("conclusionCode"))]
    if not any(texts):
        texts = [without_tags(string(mapping(resource.get("text")).get("div")))]
    return "\n\n".join(_different(texts)), language


def _different(texts: Iterable[str]) -> list[str]:
    """The texts without those that stand whole inside another."""
    kept: list[str] = []
    for text in sorted(filter(None, texts), key=len, reverse=True):
        if not any(plain(text) in plain(other) for other in kept):
            kept.append(text)
    return kept


def _attached(form: dict[str, Any], path: str, record: Record) -> str:
    kind, _, parameters = string(form.get("contentType")).casefold().partition(";")
    if not isinstance(form.get("data"), str):
        if "url" in form:
            text = "The words of this report stand behind a link: send them in presentedForm.data or conclusion."
            record.warn("report-not-available", text, path, code="incomplete")
        return ""
    if kind.strip() not in _READABLE:
        text = "This form of the report cannot be read: send text/plain, text/html, RTF or a conclusion."
        record.warn("report-not-available", text, f"{path}.contentType", code="not-supported")
        return ""
    raw = _decoded(form["data"], parameters)
    if raw is None:
        text = "This attachment is not base64 of readable text: send it anew."
        record.warn("invalid-element", text, f"{path}.data", code="value")
        return ""
    if is_rtf(raw):
        return words_of_rtf(raw)
    return without_tags(raw) if "html" in kind or raw.lstrip()[:1] == "<" else raw.strip()


def _decoded(data: str, parameters: str) -> str | None:
    try:
        raw = b64decode(re.sub(r"\s+", "", data), validate=True)
    except (binascii.Error, ValueError):
        return None
    named = _CHARSET.search(parameters)
    for charset in filter(None, (named.group(1) if named else None, "utf-8-sig", "cp1252")):
        try:
            return raw.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def without_tags(markup: str) -> str:
    """The words of HTML, blocks on lines of their own, scripts and styles left out.

    >>> without_tags("<p>No calcification</p><script>x()</script>")
    'No calcification'
    """
    words = _Words()
    words.feed(markup)
    words.close()
    lines = (" ".join(line.split()) for line in "".join(words.parts).splitlines())
    return "\n".join(line for line in lines if line)


class _Words(HTMLParser):
    """Collects the text of HTML. The standard library's parser takes any markup, however broken."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line for a block; fall silent in a script."""
        if tag in _SILENT:
            self._silent += 1
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line for a block; speak again after a script."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        if not self._silent:
            self.parts.append(data)
