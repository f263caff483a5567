"""This file reads a request's body, and no more of it than the published limit.

The only asynchronous code of a route: a body arrives in pieces, and a thread must not wait for them.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.content import check_content_type
from api.errors import RequestRefused
from api.parts import parts_of

# A client that is cut off while it still sends sees a broken connection instead of the 413, so what is over the limit
# is read and thrown away, up to this many times the limit.
_DRAINED_TIMES = 4


async def fhir_body(request: Request) -> bytes:
    """The raw bytes of a FHIR JSON body: 415 where the content type is another, 413 beyond the limit."""
    check_content_type(request)
    limit = parts_of(request).settings.max_bytes
    kept = bytearray()
    length = 0
    async for piece in request.stream():
        length += len(piece)
        if length <= limit:
            kept += piece
        elif length > limit * _DRAINED_TIMES:
            break
    if length > limit:
        raise RequestRefused(
            413,
            code="too-long",
            detail="too-large",
            text=f"The body is larger than {limit} bytes, the limit named in the CapabilityStatement. "
            "Send the record in several bundles about the same patient: they are put together here.",
        )
    return bytes(kept)


FhirBody = Annotated[bytes, Depends(fhir_body)]
"""The type of a route's parameter that is given the body."""
