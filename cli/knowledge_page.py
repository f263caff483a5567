"""This file writes the knowledge base as one Markdown page, so that a clinician reviews prose and tables, not TOML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from correlation.catalogue import AlertRule, Analyte, CategoryRule, Cause, Knowledge, Material, Measure, Region, Review


def knowledge_page(knowledge: Knowledge) -> str:
    """The whole page; the same knowledge base gives the same bytes."""
    parts = [
        _heading(knowledge),
        _materials(knowledge.materials.values()),
        _causes(knowledge.causes.values()),
        _categories(knowledge.categories),
        _alerts(knowledge.alerts.values()),
        _labs(knowledge.labs.values()),
        _regions(knowledge.regions.values()),
        _measures(knowledge.measures),
        _sources(knowledge),
    ]
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def _heading(knowledge: Knowledge) -> Iterator[str]:
    yield "# The knowledge base"
    yield ""
    yield "Made by `fillertrace knowledge render` from `correlation/knowledge/`; do not edit this page."
    yield ""
    yield f"Edition {knowledge.edition} ({knowledge.status}), SHA-256 `{knowledge.digest}`."
    if knowledge.next_review:
        yield f"Next review due {knowledge.next_review.isoformat()}."
    yield ""
    yield "Words in square brackets name a source at the end of the page."


def _materials(materials: Iterable[Material]) -> Iterator[str]:
    yield "## Filler materials"
    yield ""
    yield from _table(
        ("id", "material", "products", "on CT", "calcifies later", "permanent", "visible on CT", "sources"),
        (
            (
                f"`{material.id}`",
                material.name,
                ", ".join(material.product_names),
                material.on_ct,
                material.late_calcification,
                "yes" if material.permanent else "no",
                _measure(material.visible_months_ct),
                _cited(material.sources),
            )
            for material in materials
        ),
    )


def _causes(causes: Iterable[Cause]) -> Iterator[str]:
    yield "## Causes"
    for cause in causes:
        yield ""
        yield f"### {cause.name} (`{cause.id}`)"
        yield ""
        yield cause.summary
        yield ""
        yield from _table(
            ("question", "yes", "no", "sources"),
            (
                (f"{question.ask} (`{question.id}`)", str(question.yes), str(question.no), _cited(question.sources))
                for question in cause.questions
            ),
        )
        yield ""
        if cause.next_step:
            yield f"Next step: {cause.next_step}"
            yield ""
        yield _reviewed(cause.review)


def _categories(rules: Sequence[CategoryRule]) -> Iterator[str]:
    yield "## How answers become a category"
    yield ""
    yield "Read from the top; the first row whose conditions all hold gives the category."
    yield ""
    yield from _table(
        ("category", "at least", "at most", "in words"),
        ((str(rule.category), _counts(rule.at_least), _counts(rule.at_most), rule.says) for rule in rules),
    )


def _alerts(alerts: Iterable[AlertRule]) -> Iterator[str]:
    yield "## Alerts"
    yield ""
    yield from _table(
        ("alert", "says", "numbers", "sources"),
        (
            (
                f"`{alert.code}`",
                alert.says,
                "; ".join(f"{name} {_measure(measure)}" for name, measure in alert.measures.items()),
                _cited(alert.sources),
            )
            for alert in alerts
        ),
    )


def _labs(labs: Iterable[Analyte]) -> Iterator[str]:
    yield "## Laboratory tests"
    yield ""
    yield from _table(
        ("id", "test", "LOINC", "unit", "adult default", "sources"),
        (
            (
                f"`{lab.id}`",
                lab.name,
                ", ".join(lab.loinc),
                lab.unit,
                "; ".join(
                    f"{'' if interval.low is None else interval.low}–{'' if interval.high is None else interval.high}"
                    + (f" ({interval.sex})" if interval.sex else "")
                    for interval in lab.intervals
                ),
                _cited(lab.sources),
            )
            for lab in labs
        ),
    )


def _regions(regions: Iterable[Region]) -> Iterator[str]:
    yield "## Regions"
    yield ""
    yield from _table(
        ("id", "region", "group", "adjacent to", "SNOMED CT", "filler site", "sources"),
        (
            (
                f"`{region.id}`",
                f"{region.name} / {region.name_es}",
                region.group,
                ", ".join(region.adjacent),
                ", ".join(region.snomed),
                "yes" if region.filler_site else "no",
                _cited(region.sources),
            )
            for region in regions
        ),
    )


def _measures(measures: Mapping[str, Measure]) -> Iterator[str]:
    yield "## Numbers used by several rules"
    yield ""
    yield from _table(
        ("name", "value", "source"),
        ((f"`{name}`", _measure(measure), _cited((measure.source,))) for name, measure in measures.items()),
    )


def _sources(knowledge: Knowledge) -> Iterator[str]:
    yield "## Sources"
    yield ""
    for source in knowledge.sources.values():
        reference = f" {source.reference}" if source.reference else ""
        yield f"- [{source.id}] {source.title} ({source.kind}; {source.checked}).{reference}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') or '–' for cell in row)} |"


def _counts(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{name}: {count}" for name, count in counts.items())


def _measure(measure: Measure | None) -> str:
    return f"{measure.value} {measure.unit}" if measure else ""


def _cited(sources: Iterable[str]) -> str:
    return " ".join(f"[{source}]" for source in sources)


def _reviewed(review: Review) -> str:
    checked = f"checked by {review.checked_by}" if review.checked_by else "not reviewed by a clinician"
    return f"Written by {review.authored_by}, {checked}."
