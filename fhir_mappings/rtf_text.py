"""This file gets the words of Rich Text Format (RTF), in which dictation systems store reports.

Only what bears words is read: text, paragraph ends, characters beyond ASCII. Fonts, colours, styles, pictures and
fields are left out. Microsoft, Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\(?P<mark>[^a-zA-Z'])"
    r"|(?P<open>\{)|(?P<close>\})|(?P<break>[\r\n]+)|(?P<text>[^\\{}\r\n]+)"
)
_LINE_ENDS: Final = frozenset({"par", "line", "sect", "page", "row"})
_BLANKS: Final = frozenset({"tab", "cell", "emspace", "enspace"})
_WORDLESS: Final = frozenset(
    {
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "header",
        "footer",
        "listtable",
        "fldinst",
        "themedata",
    }
)
_CHARACTERS: Final = {
    "lquote": "'",
    "rquote": "'",
    "ldblquote": '"',
    "rdblquote": '"',
    "endash": "-",
    "emdash": "-",
    "bullet": "-",
}


def is_rtf(raw: str) -> bool:
    """Whether a text is RTF, whatever its content type says."""
    return raw.lstrip()[:5] == "{\\rtf"


def words_of_rtf(raw: str) -> str:
    """The words of an RTF text, paragraphs on lines of their own.

    >>> words_of_rtf(r"{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}Sin adenopat\\'edas.\\par Fin}")
    'Sin adenopatías.\\nFin'
    """
    parts: list[str] = []
    silent: list[bool] = [False]  # one for each open group
    skip = 0  # characters that stand in for a Unicode one
    for token in _TOKEN.finditer(raw):
        kind, word = token.lastgroup, token["word"]
        if token["open"]:
            silent.append(silent[-1])
        elif token["close"]:
            silent = silent[:-1] or [False]
        elif token["mark"] == "*" or word in _WORDLESS:
            silent[-1] = True
        elif silent[-1] or kind == "break":
            continue
        elif word == "u" and token["number"]:
            parts.append(chr(int(token["number"]) % 0x10000))
            skip = 1
        elif word:
            parts.append("\n" if word in _LINE_ENDS else " " if word in _BLANKS else _CHARACTERS.get(word, ""))
        elif skip and (token["byte"] or token["text"]):
            parts.append((token["text"] or "")[1:])
            skip = 0
        else:
            parts.append(_characters(token))
    lines = (" ".join(line.split()) for line in "".join(parts).splitlines())
    return "\n".join(line for line in lines if line)


def _characters(token: re.Match[str]) -> str:
    if token["byte"]:
        return bytes.fromhex(token["byte"]).decode("cp1252", errors="replace")
    if token["mark"]:
        return " " if token["mark"] == "~" else token["mark"] if token["mark"] in "\\{}" else ""
    return token["text"] or ""
