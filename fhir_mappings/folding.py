"""This file folds case and accents away, one character for one: places in the folded text hold in the original."""

from __future__ import annotations

import unicodedata

_PLAIN_MARKS = {
    "–": "-",
    "—": "-",
    "−": "-",
    "‐": "-",
    "‑": "-",
    "’": "'",
    "‘": "'",
    "´": "'",
    "“": '"',
    "”": '"',
    "®": " ",
    "™": " ",
    "©": " ",
    "×": "x",
    "\u00a0": " ",
    "\u202f": " ",
    "\u2009": " ",
}


def _plain(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", character.lower())
    return decomposed[0] if decomposed else character


_TABLE = {code: _plain(chr(code)) for code in [*range(0x41, 0x5B), *range(0xC0, 0x250)]}
_TABLE.update({ord(mark): plain for mark, plain in _PLAIN_MARKS.items()})


def composed(text: str) -> str:
    """Return the text with each accented letter as one character (Unicode NFC)."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return the text in lower case without accents, trade marks as blanks; the length does not change."""
    return text.translate(_TABLE)
