"""This file names the ways in which a caller is turned away."""

from __future__ import annotations


class AccessNotPossible(Exception):
    """The access asked for in the settings cannot be given safely; the process does not start. Says why."""


class AccessDenied(Exception):
    """The caller may not do this."""


class NotAuthenticated(AccessDenied):
    """It is not known who calls (401)."""


class NotPermitted(AccessDenied):
    """It is known who calls, and the caller may not do this (403). `expression` names the elements it is about."""

    def __init__(self, *expression: str) -> None:
        super().__init__("not permitted")
        self.expression = expression
