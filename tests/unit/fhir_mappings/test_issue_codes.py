"""The codes that are listed and the codes that are written are the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from fhir_mappings.issues import ISSUE_CODES

_ROOT = Path(__file__).parents[3]
_WRITTEN = re.compile(r'(?:detail=|(?:warn|inform|_refusal)\(\s*)"([a-z0-9-]+)"')


def _written(room: str) -> set[str]:
    return {code for file in (_ROOT / room).rglob("*.py") for code in _WRITTEN.findall(file.read_text("utf-8"))}


def test_every_code_that_is_written_has_plain_words() -> None:
    assert _written("fhir_mappings") <= ISSUE_CODES.keys()


def test_every_code_with_plain_words_is_written_somewhere() -> None:
    assert ISSUE_CODES.keys() <= _written("fhir_mappings") | _written("api")
