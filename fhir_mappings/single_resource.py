"""This file takes a body that is one resource as a Bundle of one entry, so that it goes the way all others go.

Contract, section 7, says what is refused; FHIR R4 https://hl7.org/fhir/R4/http.html#create and #update the rest.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from fhir_mappings.bundle import BundleRejected, ParsedBundle, ParsedEntry
from fhir_mappings.elements import string
from fhir_mappings.fhir_version import foreign_version
from fhir_mappings.issues import ERROR, WARNING, Issue, grouped
from fhir_mappings.limits import Limits
from fhir_mappings.own_output import is_own_output
from fhir_mappings.resource_json import NotJson, ReadJson, TooDeep, read_json
from fhir_mappings.subset import is_subsetted

_ENTRY: Final = re.compile(r"^Bundle(?:\.entry\[0\](?:\.resource)?)?(?=$|\.)")


def parse_resource(
    raw: bytes,
    *,
    type_: str,
    limits: Limits,
    identity: str | None = None,
    if_none_exist: str | None = None,
    if_match: str | None = None,
) -> ParsedBundle:
    """A resource of `type_` as the only entry of a transaction: a create, or with `identity` an update of that id.

    Raises `BundleRejected`: not JSON, too deep, of another type or id (400); of another FHIR version, made by us, or
    only a part of a resource (422).
    """
    read = _read(raw, type_=type_, limits=limits)
    resource = _checked(read.content, type_=type_)
    if identity is not None and resource.get("id") != identity:
        text = "The id in the body is not the one in the address: put the same id into both."
        raise _refused("invalid-element", text, f"{type_}.id", status=400)
    entry = ParsedEntry(
        index=0,
        full_url=None,
        resource=resource,
        type=type_,
        method="POST" if identity is None else "PUT",
        url=type_ if identity is None else f"{type_}/{identity}",
        if_none_exist=if_none_exist,
        if_match=if_match,
    )
    return ParsedBundle(type="transaction", entries=(entry,), issues=_duplicate_keys(read))


def named_alone(issue: Issue, *, type_: str) -> Issue:
    """The same issue where there is no Bundle: `Bundle.entry[0].resource.subject` is `Procedure.subject`.

    What stands in an entry's `request` came in a header here, and no FHIRPath leads there.
    """
    paths = (path for path in issue.expression if not path.startswith("Bundle.entry[0].request"))
    return replace(issue, expression=tuple(_ENTRY.sub(type_, path) for path in paths))


def _read(raw: bytes, *, type_: str, limits: Limits) -> ReadJson:
    try:
        return read_json(raw, depth=limits.depth)
    except TooDeep:
        text = f"The body is nested deeper than {limits.depth} levels: no FHIR resource needs that."
        raise _refused("too-deep", text, status=400) from None
    except NotJson:
        text = f"The body is not JSON in UTF-8: send one {type_} as application/fhir+json."
        raise _refused("not-json", text, status=400) from None


def _checked(content: Any, *, type_: str) -> dict[str, Any]:
    kind = string(content.get("resourceType")) if isinstance(content, dict) else ""
    if not isinstance(content, dict) or not kind:
        text = f"Send one FHIR resource: a JSON object whose resourceType is {type_}."
        raise _refused("invalid-element", text, f"{type_}.resourceType", status=400)
    if kind != type_:
        text = "The resourceType in the body is not the type in the address: send it to the address of its own type."
        raise _refused("invalid-element", text, f"{type_}.resourceType", status=400)
    foreign = foreign_version({}, [content])
    if foreign is not None:
        version, where = foreign
        issue = _issue("fhir-version", f"This looks like FHIR {version}: send FHIR R4 (4.0.1).", where)
        raise BundleRejected(named_alone(replace(issue, code="not-supported"), type_=type_), status=422)
    if is_own_output(content):
        text = "Made by Fillertrace itself: it is never evidence, and was not stored."
        raise _refused("own-output", text, type_, status=422)
    if is_subsetted(content):
        text = (
            "This is tagged SUBSETTED, a part of a resource: read it without _summary and _elements, and send it whole."
        )
        raise _refused("subsetted", text, f"{type_}.meta.tag", status=422)
    return content


def _duplicate_keys(read: ReadJson) -> tuple[Issue, ...]:
    if not read.duplicate_keys:
        return ()
    text = "The same key stands twice in one object: the last one was taken. Send each key once."
    issue = Issue(severity=WARNING, code="structure", detail="duplicate-key", text=text)
    return (grouped(issue, paths=read.duplicate_keys),)


def _refused(detail: str, text: str, *expression: str, status: int) -> BundleRejected:
    return BundleRejected(_issue(detail, text, *expression), status=status)


def _issue(detail: str, text: str, *expression: str) -> Issue:
    code = {"own-output": "business-rule", "subsetted": "incomplete"}.get(detail, "invalid")
    return Issue(severity=ERROR, code=code, detail=detail, text=text, expression=expression)
