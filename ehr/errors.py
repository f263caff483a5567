"""This file draws the errors of the EHR client.

EhrError
  · Refused       the server said no for good, or answered what cannot be used: not FHIR, a redirect, another host
      · TooLarge      more than we are ready to read
      · NotPermitted  401 after a new token, 403: our access does not reach so far
      · NotThere      404, 410: no such resource, or no such type, on that server
  · Unavailable   temporary: no connection, time-out, half an answer, 409, 429, 5xx
"""

from __future__ import annotations


class EhrError(Exception):
    """Something went wrong between us and a server. Messages name status and host, never a path or content."""


class Refused(EhrError):
    """Trying again will not help."""


class TooLarge(Refused):
    """The answer is larger than we are ready to read."""


class NotPermitted(Refused):
    """Our access to the server does not reach so far (401, 403)."""


class NotThere(Refused):
    """The server does not have it (404), or no longer (410: `deleted`)."""

    def __init__(self, message: str, *, deleted: bool = False) -> None:
        super().__init__(message)
        self.deleted = deleted


class Unavailable(EhrError):
    """Trying again later may help."""
