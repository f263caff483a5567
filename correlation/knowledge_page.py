"""This file writes the knowledge base as one Markdown page, so that a clinician can review it without reading TOML.

`docs/knowledge.md` is this page; it is generated, never edited. It shows the data and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from correlation.catalogue import AlertRule, CategoryRule, Cause, Knowledge, Material, Measure
from correlation.knowledge_page_anatomy import lab_section, region_section
from correlation.knowledge_page_visibility import visibility_section
from correlation.knowledge_page_words import NOT_REVIEWED, cited, file_review, measured, names, reviewed, table, yes_no


def render(knowledge: Knowledge) -> str:
    """The whole page. The same knowledge gives the same text."""
    parts = (
        _head(knowledge),
        _material_section(knowledge),
        visibility_section(knowledge.measures),
        region_section(knowledge),
        lab_section(knowledge),
        _cause_section(knowledge),
        _category_section(knowledge.categories),
        _alert_section(knowledge.alerts.values()),
        _measure_section(knowledge),
        _source_section(knowledge),
    )
    return "\n\n".join(parts) + "\n"


def _head(knowledge: Knowledge) -> str:
    return "\n\n".join(
        (
            "# The knowledge base",
            "<!-- Generated from correlation/knowledge. Change the TOML files there and run `make knowledge`. -->",
            f"Edition {knowledge.edition}"
            + (f", issued {knowledge.issued.isoformat()}" if knowledge.issued else "")
            + (f", next review due {knowledge.next_review.isoformat()}" if knowledge.next_review else "")
            + f". Status: **{knowledge.status}**.",
            f"SHA-256 over all files: `{knowledge.digest}`",
            "It is a research summary for decision support. Each entry names its sources in brackets; they stand at "
            "the end, with how much of each was read. *Textbook* is general medical knowledge as recalled and not "
            "re-read; *design* marks what was set for this service: expert-set, uncalibrated. An entry that no "
            f"clinician has signed says *{NOT_REVIEWED}*.",
        )
    )


def _material_section(knowledge: Knowledge) -> str:
    return "\n\n".join(("## Filler materials", *(_material(item) for item in knowledge.materials.values())))


def _material(material: Material) -> str:
    rows = (
        ("Products", ", ".join(material.product_names) or "none"),
        ("Other words for it", ", ".join(material.generic_names) or "none"),
        ("On CT", material.on_ct.replace("_", " ")),
        ("Attenuation", _attenuation(material)),
        ("Seen on CT after the last injection", _visible(material)),
        ("Calcifies later", _calcifies(material)),
        ("Permanent", yes_no(material.permanent)),
        ("Known to migrate (one region more)", yes_no(material.extra_step)),
        ("Note", material.note),
        ("Certainty", material.certainty),
        ("Sources", cited(material.sources)),
        ("Review", reviewed(material.review)),
    )
    return f"### {material.name} (`{material.id}`)\n\n" + table(("", ""), rows)


def _attenuation(material: Material) -> str:
    if material.attenuation_hu is None:
        return "not given"
    low, high = material.attenuation_hu
    return f"{low.value} to {high.value} HU {cited(dict.fromkeys((low.source, high.source)))}"


def _visible(material: Material) -> str:
    if material.visible_months_ct is not None:
        return f"about {measured(material.visible_months_ct)}"
    return "for life" if material.permanent else "not by calcium of its own"


def _calcifies(material: Material) -> str:
    if material.calcifies_after_months is None:
        return material.late_calcification
    return f"{material.late_calcification}; not before {measured(material.calcifies_after_months)}"


def _cause_section(knowledge: Knowledge) -> str:
    causes = (_cause(cause, knowledge) for cause in knowledge.causes.values())
    return "\n\n".join(("## Causes, each as a worksheet", *causes))


def _cause(cause: Cause, knowledge: Knowledge) -> str:
    kinds = [
        "a filler on record or its late effect" if cause.from_filler else "not from a filler on record",
        "a disease of the whole body, which stands beside a filler" if cause.systemic else "local",
    ]
    rows = [
        (question.ask, words_of(question.yes.value), words_of(question.no.value), cited(question.sources))
        for question in cause.questions
    ]
    return "\n\n".join(
        (
            f"### {cause.name} (`{cause.id}`)",
            cause.summary,
            f"Called: {names(knowledge, lambda spoken: spoken.causes[cause.id].name)}.",
            f"Kind: {'; '.join(kinds)}. Materials: {', '.join(cause.materials) or 'none'}.",
            table(("Question", "Yes is", "No is", "Sources"), rows),
            f"Next step: {cause.next_step}",
            f"Sources: {cited(cause.sources)}. Review: {reviewed(cause.review)}.",
        )
    )


def words_of(strength: str) -> str:
    """A strength as the files write it: `strong-for` is "strong for"."""
    return "nothing" if strength == "none" else strength.replace("-", " ")


def _category_section(categories: Sequence[CategoryRule]) -> str:
    rows = [(str(n), rule.category.value, _conditions(rule), rule.says) for n, rule in enumerate(categories, start=1)]
    return "\n\n".join(
        (
            "## From answers to a category",
            "Read from the top; the first row that fits wins. The words are borrowed from WHO-UMC, the counts are "
            f"ours. {_sentence(NOT_REVIEWED)}.",
            table(("Row", "Category", "When", "In words"), rows),
        )
    )


def _conditions(rule: CategoryRule) -> str:
    least = [f"at least {count} {words_of(name)}" for name, count in rule.at_least.items()]
    most = [f"at most {count} {words_of(name)}" for name, count in rule.at_most.items()]
    return ", ".join(least + most) or "always"


def _alert_section(alerts: Iterable[AlertRule]) -> str:
    rows = [(f"`{item.code}`", item.name, item.says, _numbers(item.measures), cited(item.sources)) for item in alerts]
    return "\n\n".join(
        (
            "## Alerts",
            f"Raised whatever the ranking says. {_sentence(NOT_REVIEWED)}.",
            table(("Code", "Name", "Says", "Numbers", "Sources"), rows),
        )
    )


def _numbers(measures: Mapping[str, Measure]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {measured(number)}" for name, number in measures.items())


def _measure_section(knowledge: Knowledge) -> str:
    rows = [
        (f"`{name}`", f"{number.value} {number.unit}", cited((number.source,)))
        for name, number in knowledge.measures.items()
    ]
    review = file_review(knowledge, "measures.toml")
    return f"## Shared numbers\n\n{review}\n\n" + table(("Name", "Value", "Source"), rows)


def _source_section(knowledge: Knowledge) -> str:
    rows = [
        (f"[{item.id}]", item.title, item.kind, item.reference or "none", item.checked)
        for item in knowledge.sources.values()
    ]
    return "## Sources\n\n" + table(("Id", "What", "Kind", "Where", "How much was read"), rows)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
