"""This file holds the fixed sentences of every report: what was asked, what this is, and what it is not.

They come from the checklist "Report MUST contain" of the clinical knowledge (section 8) and the contract (section 4);
their words stand with the languages.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from correlation.words import Words

STATEMENTS: Final = (
    "statement.not_a_diagnosis",
    "statement.not_for_emergencies",
    "statement.not_reviewed",
    "statement.not_a_device",
)
"""What the worksheet says of itself beside the limitations that the engine names."""


def asked_words(words: Words) -> str:
    """What the report was asked."""
    return words.say("statement.asked")


def statement_words(words: Words) -> list[str]:
    """What a report is not, each a sentence."""
    return [words.say(statement) for statement in STATEMENTS]


def changed_after_signature_words(day: date, words: Words) -> str:
    """How a conclusion begins that new facts changed after a person had signed it (contract, section 5)."""
    return words.say("statement.changed", day=day.isoformat())


def made_by_words(words: Words, *, software_version: str, edition: str, digest: str) -> str:
    """Software and knowledge version in one sentence."""
    return words.say("statement.made_by", version=software_version, edition=edition, digest=digest[:12])
