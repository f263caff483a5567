"""This file turns a laboratory value into its test's own unit, by the factors of `knowledge/labs.toml`.

It knows no unit arithmetic: a unit that is not listed for the test is not converted.
"""

from __future__ import annotations

from decimal import Decimal

from correlation.catalogue import Analyte

# One spelling for the two micro signs and for raised figures.
SAME_SIGNS = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3", "·": ".", "⁄": "/", "∕": "/"})


def convert(value: Decimal, *, unit: str, analyte: Analyte) -> Decimal | None:
    """The value in `analyte.unit`, or `None` where the unit is not one listed for this test.

    Decimals stay exact: nothing is rounded. A missing unit is the blank text, which only tests without a unit list.
    """
    factor = factor_of(unit, analyte=analyte)
    return None if factor is None else value * factor


def factor_of(unit: str, *, analyte: Analyte) -> Decimal | None:
    """What a value in `unit` is multiplied with to stand in `analyte.unit`."""
    if unit in analyte.factors:
        return analyte.factors[unit]
    wanted = plain(unit)
    return next((factor for spelling, factor in analyte.factors.items() if plain(spelling) == wanted), None)


def plain(unit: str) -> str:
    """A unit as it is compared: no blanks, no letter case, one micro sign.

    Letter case can be left out because within one test no two listed units differ by it alone; the loader sees to that.

    >>> plain("MG / DL") == plain("mg/dl")
    True
    >>> plain("µmol/L") == plain("umol/l")
    True
    """
    return "".join(unit.translate(SAME_SIGNS).casefold().split())
