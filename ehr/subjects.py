"""This file says whether a resource that a server sent is about the patient it was asked for.

Only a literal reference says so: an identifier, a contained Patient or an address on another server may be anybody, and
would bring what this server says into the record of somebody it may know nothing of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from ehr.answers import objects_in
from ehr.references import literal

_SUBJECTS: Final = ("subject", "patient", "beneficiary", "for", "individual")
"""The elements by which FHIR R4's resources say whose they are."""


class Whose(StrEnum):
    """Whose a resource is."""

    THEIRS = "theirs"  # also what names nobody: a product, an organisation
    UNCLEAR = "unclear"  # it names somebody in another way than by a reference, or has no id of FHIR's form
    ANOTHERS = "anothers"


def whose(resource: Mapping[str, Any], *, patient_id: str, base_url: str) -> Whose:
    """Whose it is, where a patient of a server was asked for.

    >>> whose({"resourceType": "Device", "id": "1"}, patient_id="12", base_url="https://ehr.example/fhir")
    <Whose.THEIRS: 'theirs'>
    """
    named = list(_named(resource, patient_id=patient_id, base_url=base_url))
    return next((one for one in (Whose.ANOTHERS, Whose.UNCLEAR) if one in named), Whose.THEIRS)


def _named(resource: Mapping[str, Any], *, patient_id: str, base_url: str) -> Iterator[Whose]:
    own = f"{resource['resourceType']}/{resource['id']}"
    if literal(own) is None:
        yield Whose.UNCLEAR
    references: list[object] = [own] if resource["resourceType"] == "Patient" else []
    for name in _SUBJECTS:
        value = resource.get(name)
        for subject in objects_in(value if isinstance(value, list) else [value]):
            if subject.get("reference") or subject.get("identifier"):
                references.append(subject.get("reference"))
    for reference in references:
        target = literal(reference)
        if target is None or target.type != "Patient":
            yield Whose.UNCLEAR
        elif target.base_url not in (None, base_url) or target.id != patient_id:
            yield Whose.ANOTHERS
