"""The knowledge base as one archive: the same files give the same bytes, and it is read back whole."""

from __future__ import annotations

import pytest

from correlation.errors import KnowledgeError
from correlation.knowledge_base import knowledge_files, load_knowledge, pack, read_packed


def test_the_archive_is_read_back_with_the_same_digest() -> None:
    files = knowledge_files()
    assert pack(files) == pack(dict(reversed(files.items())))
    assert read_packed(pack(files)).digest == load_knowledge().digest


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="cannot be read"):
        read_packed(b"not an archive")
