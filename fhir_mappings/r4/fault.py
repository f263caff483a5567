"""This file is one fault of a resource, before it is put into an issue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong and where. `code` is FHIR's issue type, `detail` our own code; `text` holds no value."""

    path: str
    code: str
    detail: str
    text: str
    severity: str = "error"
