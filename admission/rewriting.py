"""This file replaces the references inside a resource by ours: references, links of type uri, and links in narrative.

FHIR R4 https://hl7.org/fhir/R4/http.html#trules: every link to another entry is replaced; one to a version stays one
to a version, the version that is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fhir_mappings.references import without_version
from store.incoming import VERSION_SUFFIX

REFERENCE: Final = re.compile(rb'"reference":"([^"\\]+)"')
# Elements of type uri, url, oid and uuid in the types that are kept, also those in lists (instantiatesUri). A `system`
# names who numbers, never another entry.
_URI: Final = re.compile(
    rb'((?:"(?:url|uri|source|valueUri|valueUrl|valueOid|valueUuid|issuer|jurisdiction|implicitRules)":|(?<=[\[,]))")'
    rb'(urn:(?:uuid|oid):[^"\\]+)(?=")'
)
_NARRATIVE: Final = re.compile(rb'"div":"(?:[^"\\]|\\.)*"')
_LINK: Final = re.compile(rb"""((?:href|src)=(?:\\"|'))([^"'\\<>#]+)(?=\\"|')""")


def rewrite_references(content: bytes, local: Mapping[str, str]) -> bytes:
    """The content with each link that `local` knows replaced by ours; all others stay as they are.

    `content` is compact JSON as `dumps` writes it, so a key with a string can look in one way only.
    """

    def reference(found: re.Match[bytes]) -> bytes:
        text = found.group(1).decode()
        ours = None if text.startswith("#") else _ours(text, local)
        return found.group(0) if ours is None else b'"reference":"%s"' % ours.encode()

    def link(found: re.Match[bytes]) -> bytes:
        ours = _ours(found.group(2).decode(), local)
        return found.group(0) if ours is None else found.group(1) + ours.encode()

    content = REFERENCE.sub(reference, content)
    if b'"urn:' in content:
        content = _URI.sub(link, content)
    if b"href=" in content or b"src=" in content:
        content = _NARRATIVE.sub(lambda found: _LINK.sub(link, found.group(0)), content)
    return content


def _ours(text: str, local: Mapping[str, str]) -> str | None:
    plain = without_version(text)
    if plain == text:
        return local.get(text)
    return local.get(f"{plain}{VERSION_SUFFIX}") or local.get(plain)
