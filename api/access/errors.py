"""This file names the ways in which a caller is turned away.

AccessNotPossible   the access asked for in the settings cannot be given safely; the process does not start
AccessDenied
  · NotAuthenticated  the token is not good, whatever is wrong with it (401)
      · NoToken       none was sent (401)
  · NotPermitted      it is known who calls, and the caller may not do this (403)
  · AnotherSite       a page of another site asks, or by a name that is not ours (403)
IssuerAway          who calls cannot be found out now, because the issuer does not answer (503)
"""

from __future__ import annotations


class AccessNotPossible(Exception):
    """The access asked for in the settings cannot be given safely; the process does not start. Says why."""


class AccessDenied(Exception):
    """The caller may not do this."""


class NotAuthenticated(AccessDenied):
    """The token says nothing that is believed (401). What is wrong with it is said to nobody."""


class NoToken(NotAuthenticated):
    """No token was sent (401)."""


class NotPermitted(AccessDenied):
    """It is known who calls, and the caller may not do this (403). `expression` names the elements it is about."""

    def __init__(self, *expression: str) -> None:
        super().__init__("not permitted")
        self.expression = expression


class AnotherSite(AccessDenied):
    """A request calls us by a name that is not ours, or, with open access, a page of another site asks (403)."""


class IssuerAway(Exception):
    """The issuer's keys or its word on a token cannot be had now. Nobody is let in for that (503)."""
