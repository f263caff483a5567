"""The published case worked through line by line, for docs/how-it-decides.md: what the engine says, as tables."""

from collections import Counter
from pathlib import Path

from correlation.assess import assess
from correlation.assessment import Assessment, CauseAssessment, Strength
from correlation.category import PLACE, category_rule
from correlation.knowledge_base import load_knowledge
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.timeline import kept_from_bundle, timeline_from
from tests.clinical.scoring import AS_OF
from tests.examples import case_bytes

PAGE = Path(__file__).parents[2] / "docs" / "how-it-decides.md"
BEGIN, END = "<!-- worked case: written by `make generated` -->", "<!-- end of the worked case -->"
KNOWLEDGE = load_knowledge()


def page() -> str:
    """The page with its worked case written anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{worked_case()}\n\n{END}{after}"


def worked_case() -> str:
    """Case V01 from its facts to its attribution."""
    kept = kept_from_bundle(parse_bundle(case_bytes("V01")))
    facts = timeline_from(kept, as_of=AS_OF, knowledge=KNOWLEDGE).timeline
    answer = assess(facts, KNOWLEDGE, as_of=AS_OF)
    first = answer.differential[0]
    return "\n\n".join([_answers(first), _category(first), _findings(answer), _patient(answer)])


def _answers(cause: CauseAssessment) -> str:
    rows = [
        f"| {said.ask} | {said.reply.value.replace('-', ' ')} | {_weight(said.strength)} | {said.because} |"
        for said in cause.answers
    ]
    head = ["| question | reply | weighs | because |", "|---|---|---|---|"]
    return "\n".join([f"**{cause.name}**, at the finding it fits best:", "", *head, *rows])


def _weight(strength: Strength) -> str:
    return "–" if strength is Strength.NONE else strength.value.replace("-", " ")


def _category(cause: CauseAssessment) -> str:
    counts: Counter[Strength] = Counter(said.strength for said in cause.answers)
    counts[Strength.NONE] = 0
    told = ", ".join(f"{counts[strength]} {_weight(strength)}" for strength in PLACE if counts[strength])
    rule = category_rule(tuple(counts[strength] for strength in PLACE), rules=KNOWLEDGE.categories)
    return (
        f"Counted: {told}. The first row of the table that fits says: *{rule.says}* "
        f"So it is **{cause.category.value}**."
    )


def _findings(answer: Assessment) -> str:
    words = KNOWLEDGE.words
    rows = [
        f"| {words.finding(item.finding.kind, item.finding.site)} | {item.attribution.value} | {item.because} |"
        for item in answer.findings
    ]
    return "\n".join(["| finding | attribution | because |", "|---|---|---|", *rows])


def _patient(answer: Assessment) -> str:
    attribution = answer.attribution.value if answer.attribution else "none"
    alerts = ", ".join(alert.code for alert in answer.alerts) or "none"
    missing = ", ".join(answer.missing) or "nothing that was looked for"
    second = answer.differential[1]
    return (
        f"**The patient: {attribution}**: {answer.because}. Alerts: {alerts}. Missing: {missing}. "
        f"The next cause in the list, {KNOWLEDGE.words.inside(second.name)}, is {second.category.value}."
    )
