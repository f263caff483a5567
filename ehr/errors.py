"""This file draws the errors of the EHR client.

EhrError
  · Refused      the server said no for good: 4xx, a page that is not FHIR, a link to another host
  · Unavailable  temporary: no connection, time-out, 409, 429, 5xx
"""

from __future__ import annotations


class EhrError(Exception):
    """Something went wrong between us and a FHIR server. Messages name the status and path, never content."""


class Refused(EhrError):
    """Trying again will not help."""


class Unavailable(EhrError):
    """Trying again later may help."""
