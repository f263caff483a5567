"""Scores the report reader against the gold set: `python -m tests.gold.scoring --part tuning|held-out`."""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from correlation.catalogue import Knowledge
from correlation.knowledge_base import load_knowledge
from correlation.timeline import Certainty, FindingKind, ImagingExam, ImagingFinding, ResourceRef
from fhir_mappings.report_text.read import read_report
from tests.gold.gold_set import LANGUAGES, PARTS, GoldFinding, GoldSentence, sentences_of
from tests.gold.report_page import record, write_page

_CALCIUM_LIKE = frozenset({FindingKind.CALCIFICATION, FindingKind.DEPOSIT})

# Each attribute as a set of (name, value) to compare; an attribute that is not stated gives nothing to find.
_ATTRIBUTES: Mapping[str, Callable[[GoldFinding], frozenset[object]]] = {
    "sides": lambda finding: frozenset(finding.sides),
    "certainty": lambda finding: frozenset({finding.certainty}),
    "tissue": lambda finding: _one(finding.tissue),
    "morphology": lambda finding: frozenset(finding.morphology),
    "density": lambda finding: _one(finding.density),
    "on_bone": lambda finding: _one(finding.on_bone),
    "hu": lambda finding: _one(finding.hu),
    "size_mm": lambda finding: _one(finding.size_mm),
    "change": lambda finding: _one(finding.change),
}
MEASURES = ("finding", "calcium-like as one", "site", *_ATTRIBUTES)


@dataclass(kw_only=True)
class Tally:
    """What was expected, what was read, and what of it agrees."""

    expected: int = 0
    read: int = 0
    agreed: int = 0

    def add(self, expected: int, read: int, agreed: int) -> None:
        self.expected += expected
        self.read += read
        self.agreed += agreed

    @property
    def precision(self) -> float:
        return self.agreed / self.read if self.read else 1.0

    @property
    def recall(self) -> float:
        return self.agreed / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        whole = self.expected + self.read
        return 2 * self.agreed / whole if whole else 1.0


@dataclass(kw_only=True)
class Score:
    """The figures of one part in one language, and the sentences that were not read as annotated."""

    sentences: int = 0
    fully_right: int = 0
    without_finding: int = 0
    false_alarms: int = 0  # sentences without a finding from which one was read
    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in MEASURES})
    wrong: list[tuple[GoldSentence, Sequence[GoldFinding]]] = field(default_factory=list)


def score(part: str, language: str, knowledge: Knowledge) -> Score:
    result = Score()
    for sentence in sentences_of(part, language):
        read = read_sentence(sentence, language, knowledge)
        result.sentences += 1
        result.without_finding += not sentence.findings
        result.false_alarms += not sentence.findings and bool(read)
        _count(sentence.findings, read, result.tallies)
        if Counter(sentence.findings) == Counter(read):
            result.fully_right += 1
        else:
            result.wrong.append((sentence, read))
    return result


def read_sentence(sentence: GoldSentence, language: str, knowledge: Knowledge) -> tuple[GoldFinding, ...]:
    """Read one sentence as the service does, and say it in the words of the gold set."""
    exam = ImagingExam(
        source=ResourceRef(type="ImagingStudy", reference="ImagingStudy/1"),
        started=None,
        modalities=frozenset({sentence.modality}),
    )
    source = ResourceRef(type="DiagnosticReport", reference="DiagnosticReport/1")
    reading = read_report(sentence.text, source=source, exam=exam, knowledge=knowledge, language=language)
    return tuple(_in_gold_words(finding) for finding in reading.findings)


def _in_gold_words(finding: ImagingFinding) -> GoldFinding:
    """Say a reading in the words of the gold set: what is denied or no target carries no further attribute (3, 4)."""
    site = finding.site
    negated = finding.certainty is Certainty.NEGATED
    bare = negated or finding.kind is FindingKind.DISTRACTOR
    return GoldFinding(
        kind=finding.kind,
        region=site.region if site else "",
        sides=site.sides if site and not negated else frozenset(),
        certainty=finding.certainty,
        tissue=None if bare else finding.tissue,
        morphology=frozenset() if bare else finding.morphology,
        density=None if bare else finding.density,
        on_bone=None if bare else finding.on_bone,
        hu=None if bare else finding.attenuation_hu,
        size_mm=None if bare else finding.size_mm,
        change=None if bare else finding.change,
    )


def _count(expected: Sequence[GoldFinding], read: Sequence[GoldFinding], tallies: Mapping[str, Tally]) -> None:
    """Count the kinds alone, kind with place, and the attributes of the findings that are one another's counterpart."""
    _count_items(tallies["finding"], [item.kind for item in expected], [item.kind for item in read])
    _count_items(tallies["calcium-like as one"], [*map(_merged_kind, expected)], [*map(_merged_kind, read)])
    _count_items(tallies["site"], [(i.kind, i.region) for i in expected], [(i.kind, i.region) for i in read])
    for one, other in _aligned(expected, read):
        for name, values in _ATTRIBUTES.items():
            wanted, found = values(one), values(other)
            tallies[name].add(len(wanted), len(found), len(wanted & found))


def _count_items(tally: Tally, expected: Sequence[object], read: Sequence[object]) -> None:
    tally.add(len(expected), len(read), (Counter(expected) & Counter(read)).total())


def _aligned(expected: Sequence[GoldFinding], read: Sequence[GoldFinding]) -> list[tuple[GoldFinding, GoldFinding]]:
    """Pair findings of the same region and kind (calcification and deposit count as alike), the most alike first."""
    pairs = [
        (_likeness(one, other), i, j)
        for i, one in enumerate(expected)
        for j, other in enumerate(read)
        if one.region == other.region and _merged_kind(one) == _merged_kind(other)
    ]
    taken: list[tuple[int, int]] = []
    for _, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if all(i != known and j != other for known, other in taken):
            taken.append((i, j))
    return [(expected[i], read[j]) for i, j in taken]


def _likeness(one: GoldFinding, other: GoldFinding) -> int:
    return (one.kind is other.kind) + sum(values(one) == values(other) for values in _ATTRIBUTES.values())


def _merged_kind(finding: GoldFinding) -> FindingKind:
    return FindingKind.DEPOSIT if finding.kind in _CALCIUM_LIKE else finding.kind


def _one(value: object | None) -> frozenset[object]:
    return frozenset() if value is None else frozenset({value})


def lines_of(result: Score) -> list[str]:
    lines = [f"  {'':20} {'expected':>8} {'read':>6} {'agreed':>6} {'precision':>9} {'recall':>7} {'F1':>6}"]
    for name, tally in result.tallies.items():
        counts = f"{tally.expected:8} {tally.read:6} {tally.agreed:6}"
        lines.append(f"  {name:20} {counts} {tally.precision:9.3f} {tally.recall:7.3f} {tally.f1:6.3f}")
    lines.append(f"  sentences fully right: {result.fully_right} of {result.sentences}")
    lines.append(
        f"  sentences without a finding, from which one was read: {result.false_alarms} of {result.without_finding}"
    )
    return lines


def counts_of(result: Score) -> dict[str, int]:
    names = ("sentences", "fully_right", "without_finding", "false_alarms")
    return {name: getattr(result, name) for name in names}


def figures_of(result: Score) -> dict[str, dict[str, float]]:
    columns = ("expected", "read", "agreed", "precision", "recall", "f1")
    return {
        name: {column: round(getattr(tally, column), 3) for column in columns} for name, tally in result.tallies.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="tuning")
    parser.add_argument("--wrong", action="store_true", help="show the sentences read otherwise than annotated")
    parser.add_argument("--record", action="store_true", help="keep the figures and write docs/report-reading.md")
    arguments = parser.parse_args()
    knowledge = load_knowledge()
    for language in LANGUAGES:
        result = score(arguments.part, language, knowledge)
        print(f"{arguments.part} part, {language}: {result.sentences} sentences")
        print("\n".join(lines_of(result)))
        if arguments.wrong and arguments.part == "tuning":
            for sentence, read in result.wrong:
                print(f"\n{sentence.id} {sentence.modality} {sentence.text}")
                for mark, findings in (("-", sentence.findings), ("+", read)):
                    print("\n".join(f"  {mark} {_line(finding)}" for finding in findings) or f"  {mark} nothing")
        if arguments.record:
            record(arguments.part, language, counts_of(result), figures_of(result), on=date.today())
    write_page()


def _line(finding: GoldFinding) -> str:
    sides = "".join(sorted(side.value[0].upper() for side in finding.sides))
    head = f"{finding.kind.value} {finding.region or 'nowhere'} {sides} {finding.certainty.value}"
    values = {name: values(finding) for name, values in _ATTRIBUTES.items() if name not in ("sides", "certainty")}
    return head + "".join(f" | {name} {'+'.join(sorted(map(str, value)))}" for name, value in values.items() if value)


if __name__ == "__main__":
    main()
