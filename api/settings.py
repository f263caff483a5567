"""This file declares what the HTTP door needs to know, one documented field each.

Read from the environment in api/main.py and cli/main.py as `FILLERTRACE_API_<FIELD>`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def _setting(default: object, meaning: str, *, example: str) -> object:
    return field(default=default, metadata={"meaning": meaning, "example": example})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """The settings of the HTTP door."""
