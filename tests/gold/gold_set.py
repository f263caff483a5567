"""The gold set: report sentences with the findings a careful reader takes from them (README.md)."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from correlation.timeline import Certainty, FindingKind, Side

FOLDER = Path(__file__).parent
PARTS = ("tuning", "held-out")
LANGUAGES = ("en", "es")


@dataclass(frozen=True, kw_only=True)
class GoldFinding:
    """One annotated finding. `region` is empty where the text names no place."""

    kind: FindingKind
    region: str
    sides: frozenset[Side]
    certainty: Certainty
    tissue: str | None
    morphology: frozenset[str]
    density: str | None
    on_bone: bool | None
    hu: tuple[Decimal, Decimal] | None
    size_mm: Decimal | None
    change: str | None


@dataclass(frozen=True, kw_only=True)
class GoldSentence:
    """One sentence or short snippet of a report, with the modality of its exam."""

    id: str
    modality: str
    text: str
    findings: tuple[GoldFinding, ...]


def file_of(part: str, language: str) -> Path:
    return FOLDER / f"{part.replace('-', '_')}_{language}.toml"


def sentences_of(part: str, language: str) -> tuple[GoldSentence, ...]:
    rows = tomllib.loads(file_of(part, language).read_text(encoding="utf-8"), parse_float=Decimal)["sentence"]
    return tuple(
        GoldSentence(
            id=row["id"],
            modality=row["modality"],
            text=row["text"],
            findings=tuple(_finding(item) for item in row.get("finding", ())),
        )
        for row in rows
    )


def _finding(row: dict[str, Any]) -> GoldFinding:
    return GoldFinding(
        kind=FindingKind(row["kind"]),
        region=row.get("region", ""),
        sides=frozenset(Side(side) for side in row.get("sides", ())),
        certainty=Certainty(row["certainty"]),
        tissue=row.get("tissue"),
        morphology=_words(row.get("morphology", ())),
        density=row.get("density"),
        on_bone=row.get("on_bone"),
        hu=(Decimal(row["hu"][0]), Decimal(row["hu"][1])) if "hu" in row else None,
        size_mm=Decimal(row["size_mm"]) if "size_mm" in row else None,
        change=row.get("change"),
    )


def _words(value: str | list[str] | tuple[str, ...]) -> frozenset[str]:
    return frozenset(value.split()) if isinstance(value, str) else frozenset(value)
