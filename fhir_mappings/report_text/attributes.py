"""This file reads what is said of a thing found: tissue, form, density, relation to bone, numbers, course, signs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from fhir_mappings.folding import fold
from fhir_mappings.language_rules import Language, shared
from fhir_mappings.phrases import Match
from fhir_mappings.report_text.marks import Marked

_CALCIUM_FROM_HU = Decimal(130)
_POSSIBLE_HU = (Decimal(-1100), Decimal(4000))
_SUV = "suv"
_MINUS = re.compile(r"\b(?:minus|menos)\s+(?=\d)")
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What was said of one thing, in the words of `ImagingFinding`."""

    tissue: str | None = None
    morphology: frozenset[str] = frozenset()
    densities: frozenset[str] = frozenset()
    on_bone: bool | None = None
    attenuation_hu: tuple[Decimal, Decimal] | None = None
    size_mm: Decimal | None = None
    count: str | None = None
    change: str | None = None
    suv_max: Decimal | None = None
    signs: frozenset[str] = frozenset()

    @property
    def density(self) -> str | None:
        """The most telling density that was named."""
        return _first("density", self.densities)

    def says_anything(self) -> bool:
        """Say whether anything that may be added to an earlier finding was read."""
        return bool(
            self.on_bone is not None or self.attenuation_hu or self.change or self.suv_max is not None or self.signs
        )


def attributes_of(marked: Marked, text: str, language: Language, *, start: int, end: int) -> Attributes:
    """Read the attributes among the words `start` to `end` of a sentence."""
    morphology = frozenset(_values(marked, "morphology", start=start, end=end))
    signs = frozenset(_values(marked, "signs", start=start, end=end))
    piece_start = marked.words.starts[start] if start < end else 0
    piece = fold(text)[piece_start : marked.words.ends[end - 1] if start < end else 0]
    has_number = any(letter.isdigit() for letter in piece)
    attenuation = _attenuation(piece, language) if has_number else None
    size = _size_mm(piece, language) if has_number else None
    return Attributes(
        tissue=_first("tissue", _values(marked, "tissue", start=start, end=end)),
        morphology=morphology,
        densities=_densities(_values(marked, "density", start=start, end=end), attenuation),
        on_bone=_on_bone(marked.all("bone", start=start, end=end), marked),
        attenuation_hu=attenuation,
        size_mm=size,
        count=_count(marked.all("count", start=start, end=end)),
        change=_first("change", _values(marked, "change", start=start, end=end)),
        suv_max=_suv_max(piece),
        signs=signs,
    )


def added(known: Attributes, more: Attributes) -> Attributes:
    """Fill what is not known yet; words of form and signs are gathered."""
    changes = {
        item.name: getattr(more, item.name)
        for item in fields(Attributes)
        if getattr(known, item.name) is None and getattr(more, item.name) is not None
    }
    return replace(
        known,
        **changes,
        morphology=known.morphology | more.morphology,
        densities=known.densities | more.densities,
        signs=known.signs | more.signs,
    )


def _values(marked: Marked, family: str, *, start: int, end: int) -> list[str]:
    """List the values of a family that are stated; a negated one ("no enhancement") is not among them."""
    may_be_negated = family not in ("tissue", "change")
    return [
        value
        for value, matches in marked.valued.get(family, ())
        if any(
            start <= match.start < end
            and not (family == "morphology" and marked.marks[match.start] == "s")  # the "lines" of "marionette lines"
            and not (may_be_negated and _negated(match, marked, start))
            for match in matches
        )
    ]


def _negated(match: Match[str], marked: Marked, start: int) -> bool:
    """Say whether a negation stands before an attribute in the same breath."""
    for scope in marked.found.get("scope", ()):
        if scope.payload in ("negation_before", "negation_either") and start <= scope.end <= match.start:
            between = marked.marks[scope.end : match.start]
            comma = between.find("c")
            if comma < 0 or marked.all("or", start=scope.end + comma, end=len(marked.words)):
                return True
        if scope.payload == "negation_after" and match.end <= scope.start <= match.end + 3:
            return True
    return False


def _first(name: str, values: Iterable[str]) -> str | None:
    found = frozenset(values)
    return next((value for value in shared().order[name] if value in found), None)


def _densities(stated: Iterable[str], attenuation: tuple[Decimal, Decimal] | None) -> frozenset[str]:
    """Take the stated densities; a number in HU says by itself that something is denser than any soft tissue."""
    dense = attenuation is not None and attenuation[1] >= _CALCIUM_FROM_HU
    return frozenset(stated) | (frozenset({"high"}) if dense else frozenset())


def _on_bone(matches: list[Match[str]], marked: Marked) -> bool | None:
    """Say whether it is attached; "not in contact with bone" is separate, and a denied contact is no contact."""
    denials = [item for item in marked.found.get("scope", ()) if item.payload in ("negation_before", "not_a_scope")]
    names = {
        "separate" if any(item.start < match.start <= item.end for item in denials) else match.payload
        for match in matches
    }
    return True if "attached" in names else False if "separate" in names else None


def _count(matches: list[Match[str]]) -> str | None:
    names = {match.payload for match in matches}
    return "multiple" if "multiple" in names else "single" if names else None


def _attenuation(piece: str, language: Language) -> tuple[Decimal, Decimal] | None:
    numbers = language.numbers
    piece = _MINUS.sub("-", piece)
    matches = [*numbers.hounsfield_after.finditer(piece), *numbers.hounsfield_before.finditer(piece)]
    match = next((match for match in matches if not _only_earlier(match, piece, language)), None)
    if not match:
        return None
    low = _whole(match.group("low"))
    high = _whole(match.group("high")) if match.group("high") else low
    if match.group("high") and numbers.earlier.search(piece[: match.start()]):
        low = high
    low, high = min(low, high), max(low, high)
    return (low, high) if _POSSIBLE_HU[0] <= low and high <= _POSSIBLE_HU[1] else None


def _size_mm(piece: str, language: Language) -> Decimal | None:
    """Read the greatest length, in mm."""
    return max(_sizes(piece, language), default=None)


def sizes_mm(text: str, marked: Marked, language: Language, *, start: int, end: int) -> list[Decimal]:
    """List every measure among the words `start` to `end`, in mm: "5 mm and 7 mm", also "5 and 7 mm"."""
    piece = fold(text)[marked.words.starts[start] : marked.words.ends[end - 1]] if start < end else ""
    return _sizes(piece, language, apart=True)


def _sizes(piece: str, language: Language, *, apart: bool = False) -> list[Decimal]:
    numbers = language.numbers
    sizes: list[Decimal] = []
    for match in numbers.length.finditer(piece):
        if numbers.not_a_size_after.match(piece, match.end()) or numbers.not_a_size_before.search(
            piece[: match.start()]
        ):
            continue
        if _only_earlier(match, piece, language):
            continue
        names = ("second",) if numbers.earlier.search(piece[: match.start()]) else ("first", "second", "third")
        lengths = [_number(match.group(name)) for name in names if match.group(name)]
        factor = 10 if match.group("unit") in numbers.centimetre else 1
        sizes += [length * factor for length in lengths] if apart else [max(lengths) * factor]
    return sizes


def _only_earlier(match: re.Match[str], piece: str, language: Language) -> bool:
    """Say whether a measure is of an earlier study only: "previously 9 mm", but not "decreased from 9 to 6 mm"."""
    second = match.groupdict().get("second") or match.groupdict().get("high")
    return second is None and language.numbers.earlier.search(piece[: match.start()]) is not None


def _suv_max(piece: str) -> Decimal | None:
    position = piece.find(_SUV)
    if position < 0:
        return None
    digits = ""
    for letter in piece[position + len(_SUV) : position + 40]:
        if letter.isdigit() or (letter in ".," and digits):
            digits += letter
        elif digits:
            break
    digits = digits.rstrip(".,")
    return _number(digits) if digits.replace(",", ".").count(".") <= 1 and digits else None


def _whole(written: str) -> Decimal:
    """Read an attenuation: "1,200" and "1.200" are twelve hundred, for nobody measures thousandths of a unit."""
    return _number(_THOUSANDS.sub("", written))


def _number(written: str) -> Decimal:
    return Decimal(written.replace(",", "."))
