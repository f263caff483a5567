"""This file holds how large and how deep an input may be; the CapabilityStatement says the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What `parse_bundle` accepts. `depth` counts nested objects and lists; FHIR's own resources stay below 30."""

    bytes: int = 32 * 1024 * 1024
    depth: int = 60
    entries: int = 20_000


DEFAULT_LIMITS: Final = Limits()
