"""This file checks what concerns several files of the knowledge base at once: sources, neighbours, names, codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from correlation.catalogue import Knowledge
from correlation.errors import KnowledgeError
from correlation.units import plain

# Where a cited source stands: the file, the key, the ids.
Citation = tuple[str, str, tuple[str, ...]]


def check(knowledge: Knowledge) -> None:
    """Raise `KnowledgeError` at the first contradiction between files."""
    _check_sources(knowledge)
    _check_regions(knowledge)
    _check_broader(knowledge)
    _check_cause_materials(knowledge)
    _check_last_category(knowledge)
    _refuse_twice("materials", _product_names(knowledge))
    _refuse_twice("regions.toml", _region_words(knowledge))
    _refuse_twice(
        "regions.toml", ((code, region.id) for region in knowledge.regions.values() for code in region.snomed)
    )
    _refuse_twice("labs.toml", ((code, analyte.id) for analyte in knowledge.labs.values() for code in analyte.loinc))
    _refuse_twice("labs.toml", _lab_words(knowledge))
    for analyte in knowledge.labs.values():
        _refuse_twice("labs.toml", ((plain(spelling), analyte.id) for spelling in analyte.factors))


def _check_sources(knowledge: Knowledge) -> None:
    for file, key, sources in _citations(knowledge):
        if not sources:
            raise KnowledgeError(file=file, key=key, says="has no source")
        for source in sources:
            if source not in knowledge.sources:
                raise KnowledgeError(file=file, key=key, says=f"cites the unknown source {source}")


def _citations(knowledge: Knowledge) -> Iterator[Citation]:
    for material in knowledge.materials.values():
        file = f"materials/{material.id}.toml"
        yield file, "sources", material.sources
        numbers = (*(material.attenuation_hu or ()), material.visible_months_ct, material.calcifies_after_months)
        yield from ((file, "measure", (number.source,)) for number in numbers if number is not None)
    for region in knowledge.regions.values():
        yield "regions.toml", region.id, region.sources
        yield from (("regions.toml", region.id, (item.source,)) for item in region.snomed_codes)
    for analyte in knowledge.labs.values():
        yield "labs.toml", analyte.id, analyte.sources
        yield from (("labs.toml", analyte.id, (interval.source,)) for interval in analyte.intervals)
    for cause in knowledge.causes.values():
        yield f"causes/{cause.id}.toml", "sources", cause.sources
        yield from ((f"causes/{cause.id}.toml", question.id, question.sources) for question in cause.questions)
    for alert in knowledge.alerts.values():
        yield "alerts.toml", alert.code, alert.sources
        yield from (("alerts.toml", alert.code, (number.source,)) for number in alert.measures.values())
    yield from (("measures.toml", name, (number.source,)) for name, number in knowledge.measures.items())


def _check_regions(knowledge: Knowledge) -> None:
    for region in knowledge.regions.values():
        for other in region.adjacent:
            if other == region.id:
                raise KnowledgeError(file="regions.toml", key=region.id, says="is adjacent to itself")
            if other not in knowledge.regions:
                raise KnowledgeError(file="regions.toml", key=region.id, says=f"is adjacent to the unknown {other}")
            if region.id not in knowledge.regions[other].adjacent:
                raise KnowledgeError(file="regions.toml", key=region.id, says=f"{other} does not name it as adjacent")


def _check_broader(knowledge: Knowledge) -> None:
    for region in knowledge.regions.values():
        for other in region.broader:
            if other not in knowledge.regions:
                raise KnowledgeError(file="regions.toml", key=region.id, says=f"lies in the unknown {other}")
            if other == region.id or region.id in knowledge.regions[other].broader:
                raise KnowledgeError(file="regions.toml", key=region.id, says=f"and {other} lie in each other")
            for widest in knowledge.regions[other].broader:
                if widest not in region.broader:
                    raise KnowledgeError(
                        file="regions.toml", key=region.id, says=f"lies in {other}, so in {widest} too"
                    )
            if knowledge.regions[other].adjacent:
                raise KnowledgeError(file="regions.toml", key=other, says="has parts, so its parts have the neighbours")


def _check_cause_materials(knowledge: Knowledge) -> None:
    for cause in knowledge.causes.values():
        for material in cause.materials:
            if material not in knowledge.materials:
                raise KnowledgeError(
                    file=f"causes/{cause.id}.toml", key="materials", says=f"unknown material {material}"
                )


def _check_last_category(knowledge: Knowledge) -> None:
    """The last row catches everything, and only the last: a row below it would never be read."""
    for place, rule in enumerate(knowledge.categories, start=1):
        if (place == len(knowledge.categories)) == bool(rule.at_least or rule.at_most):
            says = "the last row, and only the last, has no condition"
            raise KnowledgeError(file="categories.toml", key=f"category[{place}]", says=says)


def _product_names(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    for material in knowledge.materials.values():
        names = (*material.product_names, *material.generic_names)
        yield from ((" ".join(name.casefold().split()), material.id) for name in names)


def _region_words(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    for region in knowledge.regions.values():
        words = {word.casefold() for word in (*region.synonyms_en, *region.synonyms_es)}
        yield from ((word, region.id) for word in sorted(words))


def _lab_words(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    for analyte in knowledge.labs.values():
        yield from ((alias.casefold(), analyte.id) for alias in analyte.aliases)


def _refuse_twice(file: str, words: Iterable[tuple[str, str]]) -> None:
    owners: dict[str, str] = {}
    for word, owner in words:
        if word in owners:
            raise KnowledgeError(file=file, key=owner, says=f'"{word}" stands already under {owners[word]}')
        owners[word] = owner


def refuse_same_id(file: str, ids: Iterable[str]) -> None:
    """Refuse two entries with one id."""
    seen: set[str] = set()
    for entry in ids:
        if entry in seen:
            raise KnowledgeError(file=file, key=entry, says="stands twice")
        seen.add(entry)


def refuse_wrong_name(file: str, entry: str) -> None:
    """A file is named after the id in it, so that the id leads to the file."""
    if file.rpartition("/")[2] != f"{entry}.toml":
        raise KnowledgeError(file=file, key="id", says="is not the name of the file")
