"""This file writes the two long lists of the knowledge page: the regions of the body and the laboratory tests."""

from __future__ import annotations

from correlation.catalogue import Analyte, Interval, Knowledge, Region
from correlation.knowledge_page_words import cited, file_review, names, table


def region_section(knowledge: Knowledge) -> str:
    """All regions, grouped, with neighbours, words and codes."""
    rows = [_region(region, knowledge) for region in knowledge.regions.values()]
    head = ("Region", "Name", "Neighbours", "Part of", "Filler place", "Words", "SNOMED CT", "Sources", "Note")
    return "\n\n".join(
        (
            "## Regions of the body",
            file_review(knowledge, "regions.toml"),
            "A filler is taken to explain a finding in its own region or in a neighbour; a region that is no place for "
            "a filler is never explained by one. Codes are those whose meaning was read in the source named.",
            table(head, rows),
        )
    )


def _region(region: Region, knowledge: Knowledge) -> tuple[str, ...]:
    return (
        f"`{region.id}`",
        names(knowledge, lambda spoken: spoken.regions[region.id].name),
        ", ".join(region.adjacent) or "none",
        ", ".join(region.broader) or "–",
        "yes" if region.filler_site else "no",
        "; ".join((*region.synonyms_en, *region.synonyms_es)),
        "; ".join(f"{item.code} {item.means} [{item.source}]" for item in region.snomed_codes) or "none certain",
        f"{cited(region.sources)}, {region.certainty}",
        region.note or "–",
    )


def lab_section(knowledge: Knowledge) -> str:
    """All tests with codes, units and default intervals."""
    rows = [_analyte(analyte, knowledge) for analyte in knowledge.labs.values()]
    head = (
        "Test",
        "Name",
        "LOINC",
        "Unit",
        "Other units (factor)",
        "Adult default",
        "Impossible",
        "Names",
        "Sources",
        "Note",
    )
    return "\n\n".join(
        (
            "## Laboratory tests",
            file_review(knowledge, "labs.toml"),
            "The default interval is used only where the record gives none. A missing result is never taken as normal.",
            table(head, rows),
        )
    )


def _analyte(analyte: Analyte, knowledge: Knowledge) -> tuple[str, ...]:
    others = (f"{spelling} ×{factor}" for spelling, factor in analyte.factors.items() if spelling != analyte.unit)
    return (
        f"`{analyte.id}`",
        names(knowledge, lambda spoken: spoken.labs[analyte.id].name),
        ", ".join(analyte.loinc) or "none verified",
        analyte.unit,
        "; ".join(others) or "none",
        "; ".join(_interval(interval) for interval in analyte.intervals) or "none",
        _limits(analyte),
        "; ".join(analyte.aliases),
        f"{cited(analyte.sources)}, {analyte.certainty}",
        analyte.note or "–",
    )


def _interval(interval: Interval) -> str:
    who = f"{interval.sex}: " if interval.sex else ""
    if interval.low is None:
        return f"{who}up to {interval.high} [{interval.source}]"
    if interval.high is None:
        return f"{who}from {interval.low} [{interval.source}]"
    return f"{who}{interval.low} to {interval.high} [{interval.source}]"


def _limits(analyte: Analyte) -> str:
    low = f"below {analyte.impossible_below}" if analyte.impossible_below is not None else ""
    high = f"above {analyte.impossible_above}" if analyte.impossible_above is not None else ""
    return ", ".join(filter(None, (low, high))) or "–"
