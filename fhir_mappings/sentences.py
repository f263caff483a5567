"""This file closes a phrase of the engine as a sentence: a capital at the start, a full stop at the end."""

from __future__ import annotations


def sentence(words: str) -> str:
    """The phrase as a sentence; nothing stays nothing, and a first word such as `pH` keeps its letters.

    >>> sentence("no later CT")
    'No later CT.'
    """
    text = words.strip()
    if not text:
        return ""
    first = text if text[1:2].isupper() else text[0].upper() + text[1:]
    return first if first.endswith((".", "!", "?", ".”", ":")) else f"{first}."
