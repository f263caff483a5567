"""This file says how an error stands in the log: by its type, and in words only where they are made to be shown."""

from __future__ import annotations

from ehr.errors import EhrError


def words_of(error: Exception) -> dict[str, str]:
    """The name of its type; of an EHR's also its text, which names hosts and statuses alone (ehr/errors.py)."""
    named = {"error": type(error).__name__}
    return {**named, "said": str(error)} if isinstance(error, EhrError) else named
