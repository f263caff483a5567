"""This file checks a narrative: well-formed XHTML in FHIR's small part of HTML, with something in it to read.

FHIR R4 Narrative, txt-1 and txt-2: https://hl7.org/fhir/R4/narrative.html
"""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

_NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
_ELEMENTS: Final = frozenset(
    """
    p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address bdo
    kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map area
    ins del u strike s center font
    """.split()  # noqa: SIM905
)
_ATTRIBUTES: Final = frozenset(
    """
    title style class id lang xml:lang dir accesskey tabindex xmlns span width align valign char charoff abbr axis
    headers scope rowspan colspan href rel rev type hreflang name shape coords charset src alt usemap height longdesc
    ismap cite datetime border frame rules cellpadding cellspacing summary nowrap bgcolor size color face start value
    compact clear noshade target
    """.split()  # noqa: SIM905
)
_SAYS: Final = (
    "The narrative is one div of XHTML (xmlns http://www.w3.org/1999/xhtml) with simple formatting only, no script, "
    "and something in it to read."
)


def xhtml_fault(div: str) -> str | None:
    """Why a text is no narrative of FHIR; None where it is one."""
    seen = _Seen()
    parser = expat.ParserCreate()
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.CharacterDataHandler = seen.text
    parser.StartDoctypeDeclHandler = seen.declaration
    try:
        parser.Parse(div.encode("utf-8", "replace"), True)
    except expat.ExpatError:
        return _SAYS
    return None if seen.good and seen.readable else _SAYS


class _Seen:
    """What the parser met: `good` while all belongs to FHIR's part of HTML, `readable` once there is text."""

    def __init__(self) -> None:
        self.good = True
        self.readable = False
        self._open = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._open == 0:
            self.good = name == "div" and attributes.get("xmlns") == _NAMESPACE
        self._open += 1
        self.good = self.good and name in _ELEMENTS and attributes.keys() <= _ATTRIBUTES
        if name == "img":
            self.readable = True

    def end(self, name: str) -> None:
        self._open -= 1

    def text(self, text: str) -> None:
        self.readable = self.readable or bool(text.strip())

    def declaration(self, *_: object) -> None:
        self.good = False
