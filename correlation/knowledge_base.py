"""This file loads the knowledge base: all TOML files under `correlation/knowledge`, strictly, with one digest.

A wrong file stops the process with a `KnowledgeError` that names file and key. Nothing is guessed or skipped.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

from correlation.catalogue import Knowledge, Measure, Review
from correlation.errors import KnowledgeError
from correlation.knowledge_checks import check, refuse_same_id, refuse_wrong_name
from correlation.knowledge_reader import (
    read_alert,
    read_analyte,
    read_category,
    read_cause,
    read_material,
    read_region,
    read_review,
    read_source,
)
from correlation.knowledge_table import Table, parse_file
from correlation.language_reader import read_languages
from correlation.words import BASE_LANGUAGE

T = TypeVar("T")

SINGLE_FILES = (
    "edition.toml",
    "references.toml",
    "measures.toml",
    "regions.toml",
    "labs.toml",
    "categories.toml",
    "alerts.toml",
)
FOLDERS = ("materials", "causes", "languages")


@lru_cache(maxsize=1)
def load_knowledge() -> Knowledge:
    """The knowledge base that comes with this package; read once per process."""
    return read_knowledge(knowledge_files())


def knowledge_files() -> Mapping[str, bytes]:
    """The files of the knowledge base that comes with this package, by path."""
    return files_under(files("correlation") / "knowledge")


def pack(content: Mapping[str, bytes]) -> bytes:
    """The files as one zip archive; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(content):
            # An entry made without a time has 1980-01-01, so that the archive does not depend on the clock.
            archive.writestr(zipfile.ZipInfo(path), content[path], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def read_packed(packed: bytes) -> Knowledge:
    """The knowledge base in an archive of `pack`. Raises `KnowledgeError`, also where its form is another release's."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        raise KnowledgeError(file="", key="", says="the archive cannot be read") from None
    return read_knowledge(content)


def files_under(folder: Traversable) -> Mapping[str, bytes]:
    """Every TOML file below a folder, by its path with `/`; other files, such as README.md, carry no data."""
    return {path: found.read_bytes() for path, found in sorted(_walk(folder, prefix=""))}


def _walk(folder: Traversable, *, prefix: str) -> Iterable[tuple[str, Traversable]]:
    for child in folder.iterdir():
        path = prefix + child.name
        if child.is_dir():
            yield from _walk(child, prefix=f"{path}/")
        elif path.endswith(".toml"):
            yield path, child


def digest_of(content: Mapping[str, bytes]) -> str:
    """SHA-256 in hex over path and bytes of every file, in the order of the paths, each closed by a zero byte."""
    whole = hashlib.sha256()
    for path in sorted(content):
        whole.update(path.encode("utf-8") + b"\0" + content[path] + b"\0")
    return whole.hexdigest()


def read_knowledge(content: Mapping[str, bytes]) -> Knowledge:
    """The knowledge base in the given files (path to bytes). Raises `KnowledgeError` at the first fault."""
    _check_paths(content)
    edition = parse_file("edition.toml", content["edition.toml"])
    regions, region_review = _reviewed(content, "regions.toml", "region", read_region)
    labs, lab_review = _reviewed(content, "labs.toml", "analyte", read_analyte)
    materials = _folder(content, "materials", read_material)
    causes = _folder(content, "causes", read_cause)
    measures, measure_review = _measures(content)
    alerts = _list(content, "alerts.toml", "alert", read_alert)
    sources = _list(content, "references.toml", "source", read_source)
    knowledge = Knowledge(
        edition=edition.text("edition"),
        issued=edition.day("issued"),
        status=edition.text("status"),
        next_review=edition.day("next_review"),
        digest=digest_of(content),
        materials=_by_id("materials", ((item.id, item) for item in materials)),
        regions=_by_id("regions.toml", ((item.id, item) for item in regions)),
        labs=_by_id("labs.toml", ((item.id, item) for item in labs)),
        causes=_by_id("causes", ((item.id, item) for item in causes)),
        categories=_list(content, "categories.toml", "category", read_category),
        alerts=_by_id("alerts.toml", ((item.code, item) for item in alerts)),
        measures=measures,
        sources=_by_id("references.toml", ((item.id, item) for item in sources)),
        file_reviews=MappingProxyType(
            {"regions.toml": region_review, "labs.toml": lab_review, "measures.toml": measure_review}
        ),
    )
    edition.done()
    check(knowledge)
    return read_languages(content, knowledge)[BASE_LANGUAGE]


def _check_paths(content: Mapping[str, bytes]) -> None:
    for path in SINGLE_FILES:
        if path not in content:
            raise KnowledgeError(file=path, key="", says="is missing")
    for path in content:
        folder, _, name = path.rpartition("/")
        if path not in SINGLE_FILES and (folder not in FOLDERS or not name):
            raise KnowledgeError(file=path, key="", says="is not a file of the knowledge base")
    for folder in FOLDERS:
        if not any(path.startswith(f"{folder}/") for path in content):
            raise KnowledgeError(file=folder, key="", says="is empty")


def _reviewed(
    content: Mapping[str, bytes], path: str, name: str, read: Callable[[Table], T]
) -> tuple[tuple[T, ...], Review]:
    table = parse_file(path, content[path])
    entries = table.each(name, read)
    review = read_review(table)
    table.done()
    return entries, review


def _measures(content: Mapping[str, bytes]) -> tuple[Mapping[str, Measure], Review]:
    table = parse_file("measures.toml", content["measures.toml"])
    measures = table.measures("measures")
    review = read_review(table)
    table.done()
    return MappingProxyType(dict(measures)), review


def _list(content: Mapping[str, bytes], path: str, name: str, read: Callable[[Table], T]) -> tuple[T, ...]:
    table = parse_file(path, content[path])
    entries = table.each(name, read)
    table.done()
    return entries


def _folder(content: Mapping[str, bytes], folder: str, read: Callable[[Table], T]) -> tuple[T, ...]:
    return tuple(_file(path, content[path], read) for path in sorted(content) if path.startswith(f"{folder}/"))


def _file(path: str, content: bytes, read: Callable[[Table], T]) -> T:
    table = parse_file(path, content)
    refuse_wrong_name(path, table.text("id"))
    entry = read(table)
    table.done()
    return entry


def _by_id(file: str, entries: Iterable[tuple[str, T]]) -> Mapping[str, T]:
    listed = tuple(entries)
    refuse_same_id(file, (entry for entry, _ in listed))
    return MappingProxyType(dict(listed))
