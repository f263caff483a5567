"""This file draws the errors of the EHR client.

EhrError
  · Refused       the server said no for good, or answered what cannot be used: not FHIR, a redirect, another host
      · TooLarge      more than we are ready to read
      · NotPermitted  401 after a new token, 403: our access does not reach so far
      · NotThere      404, 410: no such resource, or no such type, on that server
      · NoToken       the SMART configuration of the server, or its token endpoint, cannot be used
      · KeysNotUsable our own keys cannot be read, or none of them is one the server takes
  · Unavailable   temporary: no connection, time-out, half an answer, 409, 429, 5xx
      · Conflict      409, 412: what stands there is no longer what the request assumed
"""

from __future__ import annotations


class EhrError(Exception):
    """Something went wrong between us and a server. Messages name status and host, never a path or content."""


class Refused(EhrError):
    """Trying again will not help. `status` is the HTTP status that said so, `issue_codes` are FHIR's issue types."""

    def __init__(self, message: str, *, status: int | None = None, issue_codes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.issue_codes = issue_codes


class TooLarge(Refused):
    """The answer is larger than we are ready to read."""


class NotPermitted(Refused):
    """Our access to the server does not reach so far (401, 403)."""


class NotThere(Refused):
    """The server does not have it (404), or no longer (410: `deleted`)."""

    def __init__(self, message: str, *, deleted: bool = False) -> None:
        super().__init__(message, status=410 if deleted else 404)
        self.deleted = deleted


class NoToken(Refused):
    """Whatever was asked for, it was not: no token can be had. Never a word about what the server holds."""


class KeysNotUsable(Refused):
    """The file with our keys cannot be read, or holds none that can sign. Texts name the file, never its content."""


class Unavailable(EhrError):
    """Trying again later may help; not before `retry_after_seconds`, where the server named a time."""

    def __init__(self, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Conflict(Unavailable):
    """What stands on the server is not what the request assumed (409, 412): look again before trying again."""
