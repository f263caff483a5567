"""This file reads amounts beside a product's name: millilitres and dilution. Text comes in folded."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

_REACH = 60  # characters between a product and its amount


def amount_after(folded: str) -> Decimal | None:
    """Read the first volume in mL behind a name: "1.5 mL", "2 x 1,5 ml", "2 syringes of 1.5 mL"; else `None`."""
    match = _patterns()[0].search(folded[:_REACH])
    return _volume(match) if match else None


def amount_before(folded: str) -> Decimal | None:
    """Read the last volume in mL right before a name: "1.5 mL of Radiesse"."""
    matches = list(_patterns()[0].finditer(folded[-_REACH // 2 :]))
    return _volume(matches[-1]) if matches else None


def dilution_near(folded: str) -> Decimal | None:
    """Read "1:2" beside a word of dilution, as parts of diluent per part of product (2); `None` if it is not stated."""
    match = _patterns()[1].search(folded) or _patterns()[2].search(folded)
    if not match:
        return None
    product, diluent = (Decimal(match.group(name).replace(",", ".")) for name in ("product", "diluent"))
    return diluent / product if product else None


def diluted_with(folded: str, *, product: Decimal) -> Decimal | None:
    """Read "1.5 mL + 3 mL saline" as parts of diluent per part of product (2); `None` where no diluent is measured."""
    match = _patterns()[3].search(folded)
    if match is None or not product:
        return None
    return Decimal(match.group("diluent").replace(",", ".")) / product


def _volume(match: re.Match[str]) -> Decimal:
    volume = Decimal(match.group("volume").replace(",", "."))
    times = match.group("times") or match.group("containers") or match.group("each")
    return volume * Decimal(times) if times else volume


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    data = tomllib.loads((files("fhir_mappings.report_text") / "products.toml").read_text(encoding="utf-8"))
    units, containers = _choice(data["volume_units"]), _choice(data["container_words"])
    each, dilution = _choice(data["each_words"]), _choice(data["dilution_words"])
    diluents = _choice(data["diluent_words"])
    number = r"\d+(?:[.,]\d+)?"
    ratio = rf"(?P<product>{number})\s*[:/]\s*(?P<diluent>{number})(?![\d/])"
    volume = re.compile(
        rf"(?:(?P<times>\d{{1,2}})\s*x\s*|(?P<containers>\d{{1,2}})\s*{containers}\s*(?:of|de|x|a)\s*"
        rf"|(?P<each>\d{{1,2}})\s*{containers}\s*\(?\s*(?={number}\s*{units}\s*{each}))?"
        rf"(?<![\d.,:])(?P<volume>{number})\s*{units}(?![a-z])"
    )
    return (
        volume,
        re.compile(rf"{dilution}[a-z]*[^.;]{{0,20}}?{ratio}"),
        re.compile(rf"{ratio}[^.;]{{0,12}}?{dilution}"),
        re.compile(
            rf"(?:\+|with|con|in|en|{dilution}[a-z]*)\s*(?P<diluent>{number})\s*{units}\s*(?:of|de|del)?\s*{diluents}"
        ),
    )


def _choice(words: list[str]) -> str:
    return "(?:" + "|".join(re.escape(word.rstrip("*")) for word in sorted(words, key=len, reverse=True)) + ")"
