"""This file checks what FHIR R4 says of single types in prose: identifiers, attachments, resource ids, extensions.

FHIR R4: https://hl7.org/fhir/R4/datatypes.html#Identifier, #Attachment, https://hl7.org/fhir/R4/resource.html#id
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from fhir_mappings.elements import every_reference
from fhir_mappings.r4.definitions import PRIMITIVES, TYPES
from fhir_mappings.r4.fault import Fault
from fhir_mappings.r4.primitives import is_absolute, primitive_fault
from fhir_mappings.r4.references import Place

_URI_SYSTEM: Final = "urn:ietf:rfc:3986"
_OF_THIS_VERSION: Final = "http://hl7.org/fhir/4.0/StructureDefinition/extension-"
_ID: Final = re.compile(PRIMITIVES["id"])


def special_faults(content: dict[str, Any], kind: str, path: str, place: Place) -> Iterator[Fault]:
    """The faults of one object beyond its table; `content` holds only what is of the right form."""
    check = _CHECKS.get(kind)
    if check is not None:
        yield from check(content, path)
    if TYPES[kind].kind == "resource":
        if (identity := content.get("id")) is not None and not _ID.fullmatch(identity):
            text = "The id of a resource has 1 to 64 letters, digits, hyphens and dots."
            yield Fault(path=f"{path}.id", code="value", detail="invalid-element", text=text)
        if place.contained is None:
            yield from _orphans(content, path, container=place.root)


def _identifier(content: dict[str, Any], path: str) -> Iterator[Fault]:
    system, value = content.get("system"), content.get("value")
    if system and not is_absolute(system):
        yield _value_fault(path, "The system of an identifier is an absolute address.")
    if system == _URI_SYSTEM and value and not is_absolute(value):
        yield _value_fault(path, "Under urn:ietf:rfc:3986 the value is a whole URI, such as urn:oid:1.2.3.")


def _attachment(content: dict[str, Any], path: str) -> Iterator[Fault]:
    if "data" not in content or primitive_fault(content["data"], "base64Binary"):
        return
    data = b64decode(re.sub(r"\s", "", content["data"]))
    if "size" in content and content["size"] != len(data):
        yield _value_fault(path, "The size is not that of the data: correct it or leave it out.")
    digest = b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if "hash" in content and re.sub(r"\s", "", content["hash"]) != digest:
        yield _value_fault(path, "The hash is not the SHA-1 of the data in base64: correct it or leave it out.")


def _extension(content: dict[str, Any], path: str) -> Iterator[Fault]:
    has_value = any(name.startswith("value") for name in content)
    if has_value == ("extension" in content):
        text = "ext-1: An extension has either a value or extensions, never both and never none."
        yield Fault(path=path, code="invariant", detail="broken-rule", text=text)
    url, inside_another = content.get("url"), ".extension[" in path.rpartition(".")[0]
    if url is not None and not is_absolute(url) and not inside_another:
        yield _value_fault(path, "The url of an extension is an absolute address.")
    elif url is not None and url.startswith(_OF_THIS_VERSION):
        yield _value_fault(path, "FHIR R4 has an element for this: use it instead of an extension.")


def _orphans(resource: dict[str, Any], path: str, *, container: dict[str, Any]) -> Iterator[Fault]:
    """dom-3: a contained resource is referred to, or refers to its container; also from an element of a wrong form."""
    used = {text for _, text in every_reference(container, path=path)}
    ids: set[str] = set()
    for at, one in enumerate(resource.get("contained", [])):
        identity = str(one.get("id", ""))
        if identity and identity in ids:
            text = "Another contained resource has the same id: give each its own."
            yield _value_fault(f"{path}.contained[{at}]", text)
        ids.add(identity)
        if f"#{identity}" in used or "#" in {text for _, text in every_reference(one, path=path)}:
            continue
        text = "dom-3: Nothing refers to this contained resource: refer to it or leave it out."
        yield Fault(path=f"{path}.contained[{at}]", code="invariant", detail="broken-rule", text=text)


def _value_fault(path: str, text: str) -> Fault:
    return Fault(path=path, code="value", detail="invalid-element", text=text)


_CHECKS: Final[Mapping[str, Callable[[dict[str, Any], str], Iterator[Fault]]]] = MappingProxyType(
    {"Identifier": _identifier, "Attachment": _attachment, "Extension": _extension}
)
