"""This file takes a received body apart into entries, and refuses what nothing can be done with.

FHIR R4 Bundle: https://hl7.org/fhir/R4/bundle.html. Refusals: contract, section 7. Every Bundle type is taken; which
of them a route wants is the route's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_mappings.elements import mapping, objects, string
from fhir_mappings.fhir_version import foreign_version
from fhir_mappings.issues import ERROR, INFORMATION, WARNING, Issue, grouped
from fhir_mappings.limits import DEFAULT_LIMITS, Limits
from fhir_mappings.operation_input import ParameterRefused, operation_input
from fhir_mappings.resource_json import NotJson, ReadJson, TooDeep, read_json
from fhir_mappings.resource_types import EXCHANGE_TYPES, KEPT_TYPES, R4_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    """One entry of a Bundle. `resource` is plain JSON, `None` where the entry has no usable one."""

    index: int
    full_url: str | None
    resource: dict[str, Any] | None
    type: str | None
    method: str | None = None
    url: str | None = None
    if_none_exist: str | None = None
    if_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBundle:
    """A Bundle in entries, with what was odd about it."""

    type: str
    entries: tuple[ParsedEntry, ...]
    issues: tuple[Issue, ...] = ()


CORRELATE_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "bundle": ("resource",),
    "store": ("valueBoolean",),
    "source": ("valueString",),
}
"""The parameters of `$correlate` with the element that holds each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelateInput:
    """The body of `$correlate`: a Bundle, or Parameters with one. `source` names a configured EHR."""

    bundle: ParsedBundle | None
    store: bool = True
    source: str | None = None


class BundleRejected(Exception):
    """Nothing can be done with this body. `status` is the HTTP status: 400, 413 or 422."""

    def __init__(self, *issues: Issue, status: int) -> None:
        super().__init__(", ".join(issue.detail for issue in issues))
        self.issues = issues
        self.status = status


def parse_bundle(raw: bytes, *, limits: Limits = DEFAULT_LIMITS, patient_needed: bool = True) -> ParsedBundle:
    """A Bundle in entries. Raises `BundleRejected`: not JSON, too deep, too large, no R4 Bundle, nobody's.

    `patient_needed` is false for a transaction or batch, whose entries may be reads or deletions alone.
    """
    read = _read(raw, limits=limits)
    return _bundle_from(read.content, issues=_duplicate_keys(read), limits=limits, patient_needed=patient_needed)


def parse_correlate_body(raw: bytes, *, limits: Limits = DEFAULT_LIMITS) -> CorrelateInput:
    """The body of `$correlate`: a Bundle, or Parameters (`bundle`, `store`, `source`). Raises `BundleRejected`."""
    read = _read(raw, limits=limits)
    content, store, source = unwrap_parameters(read.content)
    if content is None:
        return CorrelateInput(bundle=None, store=store, source=source)
    bundle = _bundle_from(content, issues=_duplicate_keys(read), limits=limits, patient_needed=True)
    return CorrelateInput(bundle=bundle, store=store, source=source)


def unwrap_parameters(content: Any) -> tuple[Any, bool, str | None]:
    """Bundle, `store` and `source` of Parameters; anything else is passed through as the Bundle, to be stored.

    Raises `BundleRejected` (400) where a parameter is not known, stands twice or is of another kind: a mistyped
    `store=false` must never keep what was meant to be forgotten.
    """
    if not isinstance(content, dict) or content.get("resourceType") != "Parameters":
        return content, True, None
    try:
        values = operation_input(content, takes=CORRELATE_TAKES, operation="$correlate")
    except ParameterRefused as refused:
        raise BundleRejected(_refusal("invalid-element", refused.text, refused.path), status=400) from None
    return values.get("bundle"), values.get("store", True), values.get("source")


def _read(raw: bytes, *, limits: Limits) -> ReadJson:
    if len(raw) > limits.bytes:
        text = f"The body is larger than {limits.bytes} bytes: send the patient's record in parts."
        raise BundleRejected(_refusal("too-large", text, code="too-long"), status=413)
    try:
        return read_json(raw, depth=limits.depth)
    except TooDeep:
        text = f"The body is nested deeper than {limits.depth} levels: no FHIR resource needs that."
        raise BundleRejected(_refusal("too-deep", text), status=400) from None
    except NotJson:
        text = "The body is not JSON in UTF-8: send one FHIR Bundle as application/fhir+json."
        raise BundleRejected(_refusal("not-json", text), status=400) from None


def _bundle_from(content: Any, *, issues: tuple[Issue, ...], limits: Limits, patient_needed: bool) -> ParsedBundle:
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        text = "Send a FHIR R4 Bundle: its resourceType must be Bundle."
        raise BundleRejected(_refusal("not-a-bundle", text, "Bundle.resourceType", code="structure"), status=422)
    listed = content.get("entry")
    if listed is not None and not isinstance(listed, list):
        text = "Bundle.entry must be a list of entries."
        raise BundleRejected(_refusal("not-a-bundle", text, "Bundle.entry", code="structure"), status=422)
    if not listed:
        text = "The Bundle has no entries: add the Patient and the patient's resources."
        raise BundleRejected(_refusal("empty-bundle", text, "Bundle.entry", code="required"), status=422)
    if len(listed) > limits.entries:
        text = f"The Bundle has more than {limits.entries} entries: send the patient's record in parts."
        raise BundleRejected(_refusal("too-large", text, "Bundle.entry", code="too-long"), status=413)
    _refuse_other_version(content, listed)
    entries = tuple(_entry(index, entry) for index, entry in enumerate(listed))
    if patient_needed and not any(names_a_patient(entry) for entry in entries):
        text = "No resource says whose it is: add the Patient, or a subject reference to one."
        raise BundleRejected(_refusal("no-patient", text, "Bundle.entry", code="required"), status=422)
    kind = string(content.get("type"))
    return ParsedBundle(type=kind, entries=entries, issues=(*issues, *_bundle_issues(kind, listed, entries)))


def _refuse_other_version(content: dict[str, Any], listed: list[Any]) -> None:
    resources = [entry.get("resource") if isinstance(entry, dict) else None for entry in listed]
    found = foreign_version(content, [one if isinstance(one, dict) else {} for one in resources])
    if found is not None:
        version, where = found
        text = f"This looks like FHIR {version}: send FHIR R4 (4.0.1)."
        raise BundleRejected(_refusal("fhir-version", text, where, code="not-supported"), status=422)


def _entry(index: int, entry: Any) -> ParsedEntry:
    if not isinstance(entry, dict):
        return ParsedEntry(index=index, full_url=None, resource=None, type=None)
    resource = entry.get("resource")
    kind = string(resource.get("resourceType")) if isinstance(resource, dict) else ""
    request = mapping(entry.get("request"))
    return ParsedEntry(
        index=index,
        full_url=string(entry.get("fullUrl")) or None,
        resource=resource if kind and isinstance(resource, dict) else None,
        type=kind or None,
        method=string(request.get("method")).upper() or None,
        url=string(request.get("url")) or None,
        if_none_exist=string(request.get("ifNoneExist")) or None,
        if_match=string(request.get("ifMatch")) or None,
    )


def names_a_patient(entry: ParsedEntry) -> bool:
    """Whether an entry is a Patient or says whose it is (a Group or Device as subject is nobody)."""
    resource = entry.resource
    if resource is None:
        return False
    if entry.type == "Patient":
        return True
    for name in SUBJECT_ELEMENTS:
        for subject in objects(resource.get(name)):
            text = string(subject.get("reference"))
            if text.startswith(("urn:", "#", "Patient?")) or "Patient/" in text:
                return True
            if "identifier" in subject and string(subject.get("type")) in ("", "Patient"):
                return True
    return False


SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary", "for", "individual")
"""The elements by which FHIR R4's resources say whose they are."""


def _bundle_issues(kind: str, listed: list[Any], entries: Iterable[ParsedEntry]) -> tuple[Issue, ...]:
    found: list[Issue] = []
    if not kind:
        text = "Bundle.type is missing: say collection, searchset, transaction or what it is."
        found.append(
            Issue(severity=WARNING, code="required", detail="invalid-element", text=text, expression=("Bundle.type",))
        )
    places: dict[str, list[str]] = {}
    for entry in entries:
        if entry.type is not None and entry.type not in KEPT_TYPES | EXCHANGE_TYPES:
            places.setdefault(entry.type, []).append(f"Bundle.entry[{entry.index}].resource")
        elif entry.resource is None:
            found.extend(_without_resource(entry, listed[entry.index]))
    found.extend(_unread(name, paths) for name, paths in sorted(places.items()))
    return tuple(found)


def _without_resource(entry: ParsedEntry, raw: Any) -> list[Issue]:
    if entry.method in ("GET", "HEAD", "DELETE"):
        return []
    path = f"Bundle.entry[{entry.index}]"
    if isinstance(raw, dict) and "resource" in raw:
        text = "This resource has no resourceType: add it. Nothing of it was read."
        return [
            Issue(
                severity=ERROR, code="structure", detail="invalid-element", text=text, expression=(f"{path}.resource",)
            )
        ]
    text = "This entry has no resource: add one or leave the entry out."
    return [Issue(severity=WARNING, code="required", detail="no-resource", text=text, expression=(path,))]


def _unread(name: str, paths: list[str]) -> Issue:
    # The name is shown only where FHIR has it: an invented one might be anything.
    if name in R4_TYPES:
        text = f"{name} is not read for correlation; it stays in the received bytes."
        return grouped(Issue(severity=INFORMATION, code="not-supported", detail="unknown-type", text=text), paths=paths)
    text = "FHIR R4 has no resource type of this name: correct resourceType. It stays in the received bytes, unread."
    return grouped(Issue(severity=WARNING, code="not-supported", detail="unknown-type", text=text), paths=paths)


def _duplicate_keys(read: ReadJson) -> tuple[Issue, ...]:
    if not read.duplicate_keys:
        return ()
    text = "The same key stands twice in one object: the last one was taken. Send each key once."
    issue = Issue(severity=WARNING, code="structure", detail="duplicate-key", text=text)
    return (grouped(issue, paths=read.duplicate_keys),)


def _refusal(detail: str, text: str, *expression: str, code: str = "invalid") -> Issue:
    return Issue(severity=ERROR, code=code, detail=detail, text=text, expression=expression)
