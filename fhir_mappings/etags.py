"""This file writes and reads the version of a resource as an ETag.

FHIR R4 https://hl7.org/fhir/R4/http.html#versioning
"""

from __future__ import annotations


def etag(version: int) -> str:
    """The weak ETag of a version, as FHIR writes it."""
    return f'W/"{version}"'


def versions_named(header: str) -> tuple[int, ...]:
    """The versions that an If-Match or If-None-Match header names; what is not an ETag of ours is left out.

    >>> versions_named('W/"3"')
    (3,)
    """
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))
    return tuple(int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10)
