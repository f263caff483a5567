"""This file turns a sorted Bundle into what the record keeps: people, their resources, their references.

What belongs to the sender alone (`id`, `meta.versionId`, `meta.lastUpdated`) is left off; the received bytes keep it.
Our own output is not kept, and not counted: it is never evidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from admission.patient_links import link_key, links_in
from admission.rewriting import REFERENCE
from admission.search_terms import ConditionRefused, condition_from, values_from
from fhir_mappings.bundle import BundleRejected, ParsedBundle, ParsedEntry
from fhir_mappings.elements import codings, mapping, objects, string
from fhir_mappings.etags import versions_named
from fhir_mappings.issues import ERROR, INFORMATION, Issue, grouped
from fhir_mappings.own_output import is_own_output
from fhir_mappings.patient import PatientGroup
from fhir_mappings.patient_groups import Sorted
from fhir_mappings.references import Addressed, References, base_of, without_version
from fhir_mappings.resource_json import dumps
from fhir_mappings.resource_types import ABOUT_NO_PATIENT, KEPT_TYPES
from fhir_mappings.search_values import search_values
from store.incoming import (
    ConditionalReference,
    IncomingResource,
    PatientIdentity,
    PatientIntake,
    PatientLink,
)
from store.search_criteria import Criterion

# Numbers that name an order, a visit or a person: several resources carry the same one and are not the same.
_NUMBERS_OF_SOMETHING_ELSE = frozenset({"ACSN", "PLAC", "FILL", "PGN", "VN", "AN", "MR", "PI", "PT", "SS", "DL", "PPN"})
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")

Held = Callable[[str, str], bool]
"""Whether we hold a resource under this type and id of ours."""
Within = Callable[[str], Sequence[Criterion]]
"""What a condition on a type asks besides: it finds nothing that the sender may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a Bundle brings: its patients, what belongs to none of them, and what was left out.

    `references` are those that are searches; `links` say whose record has become a part of whose.
    """

    groups: tuple[PatientIntake, ...]
    loose: tuple[IncomingResource, ...]
    issues: tuple[Issue, ...]
    references: tuple[ConditionalReference, ...] = ()
    links: tuple[PatientLink, ...] = ()


def everything(type_: str) -> Sequence[Criterion]:
    """No condition besides."""
    return ()


def intake_from(
    bundle: ParsedBundle,
    sorted_: Sorted,
    *,
    base_url: str,
    held: Held,
    keep_empty_groups: bool = False,
    references: Sequence[ConditionalReference] = (),
    within: Within = everything,
    of_one_patient: bool = False,
) -> Intake:
    """The people and resources of a Bundle as the record takes them.

    A patient of whom there is nothing but our own output is left out, so that it starts no job, unless
    `keep_empty_groups`: then a person has asked for this patient by name. `references` are those that are searches,
    where they have to find something; `within` narrows what the conditions find. With `of_one_patient` the sender may
    write of one patient alone, and what stands beside many is kept as that one's own. Raises BundleRejected (400) for
    a condition that cannot be asked.
    """
    reader = _Reader(
        bundle, base_url=base_url, held=held, references=references, within=within, of_one_patient=of_one_patient
    )
    groups = tuple(
        reader.group(group) for group in sorted_.groups if keep_empty_groups or any(map(is_kept, group.entries))
    )
    loose = tuple(reader.resource(entry) for entry in sorted_.nobodys if is_kept(entry))
    return Intake(
        groups=groups,
        loose=loose,
        issues=(*sorted_.issues, *_own_output_issues(bundle)),
        references=tuple(one for one in references if one.type != "Patient"),
        links=tuple(links_in(bundle, base_url=base_url)),
    )


class _Reader:
    """Reads the entries of one Bundle with the addresses of all of them in mind."""

    def __init__(
        self,
        bundle: ParsedBundle,
        *,
        base_url: str,
        held: Held,
        references: Sequence[ConditionalReference],
        within: Within,
        of_one_patient: bool,
    ) -> None:
        self._within = within
        self._of_one_patient = of_one_patient
        self._base_url = base_url
        self._held = held
        self._searched = {unquote(one.text): one for one in references if one.type == "Patient"}
        self._full_urls = {without_version(entry.full_url) for entry in bundle.entries if entry.full_url}
        # By type and id alone are meant those that came without a server's address.
        self._local_names = {
            name for entry in bundle.entries if base_of(entry.full_url) is None for name in _local_names(entry)
        }
        self._references = References(
            Addressed(index=entry.index, full_url=entry.full_url, resource=entry.resource)
            for entry in bundle.entries
            if entry.resource is not None
        )
        self._carried = Counter(key for entry in bundle.entries for key in set(_identifiers(entry)))

    def group(self, group: PatientGroup) -> PatientIntake:
        """One patient with the resources about them."""
        searched = tuple(self._searched[key] for key in group.keys if key in self._searched)
        linked = (link_key(entry) for entry in group.entries if entry.type == "Patient")
        return PatientIntake(
            identity=self._identity(group),
            resources=tuple(self.resource(entry) for entry in group.entries if is_kept(entry)),
            local_keys=(*group.keys, *(one.text for one in searched), *linked),
            references=searched if group.resource is None else (),
        )

    def resource(self, entry: ParsedEntry) -> IncomingResource:
        """One entry that is kept."""
        kind = entry.type or ""
        url = without_version(entry.full_url) if entry.full_url and base_of(entry.full_url) else None
        return IncomingResource(
            type=kind,
            content=self._content(entry),
            local_keys=self._local_keys(entry),
            urls=(url,) if url and not self._is_ours(url) else (),
            identifiers=tuple(
                (system, value) for _, system, value in _identifiers(entry) if self._carried[kind, system, value] == 1
            ),
            own_id=self._own_id(entry),
            if_match=version_named(entry.if_match),
            condition=self._condition(entry),
            search=values_from(search_values(entry.resource or {})),
            shared=kind in ABOUT_NO_PATIENT and not self._of_one_patient,
            entry_index=entry.index,
        )

    def _condition(self, entry: ParsedEntry) -> tuple[Criterion, ...] | None:
        if entry.if_none_exist is None:
            return None
        try:
            type_ = entry.type or ""
            return (*condition_from(type_, entry.if_none_exist, base=self._base_url), *self._within(type_))
        except ConditionRefused as refused:
            path = f"Bundle.entry[{entry.index}].request.ifNoneExist"
            issue = Issue(
                severity=ERROR, code="value", detail="invalid-condition", text=refused.text, expression=(path,)
            )
            raise BundleRejected(issue, status=400) from None

    def _local_keys(self, entry: ParsedEntry) -> tuple[str, ...]:
        """The names that mean this entry; type and id alone do not where the Bundle holds those of several servers."""
        named = self._references.one_server or base_of(entry.full_url) is None
        return tuple(dict.fromkeys(name for name in _local_names(entry) if named or not _RELATIVE.fullmatch(name)))

    def _identity(self, group: PatientGroup) -> PatientIdentity:
        found = group.identity
        own_ids = [
            *(self._own_id(entry) for entry in group.entries if entry.type == "Patient"),
            *(url.rsplit("/", 1)[1] for url in found.urls if self._is_ours(url)),
            *found.local_ids,
        ]
        return PatientIdentity(
            identifiers=found.identifiers,
            urls=tuple(url for url in found.urls if not self._is_ours(url)),
            own_id=next((own_id for own_id in own_ids if own_id and self._held("Patient", own_id)), None),
            birth_date=found.birth_date,
            sex=found.sex,
        )

    def _own_id(self, entry: ParsedEntry) -> str | None:
        """Our id, where the entry means a resource we hold: by PUT, or by an address on this server."""
        kind = entry.type or ""
        names = [entry.url or ""] if entry.method == "PUT" else []
        if entry.full_url and self._is_ours(entry.full_url):
            names.append(without_version(entry.full_url).removeprefix(f"{self._base_url}/"))
        for name in names:
            named, _, own_id = name.partition("/")
            if named == kind and own_id and self._held(kind, own_id):
                return own_id
        return None

    def _is_ours(self, url: str) -> bool:
        return url.startswith(f"{self._base_url}/")

    def _content(self, entry: ParsedEntry) -> bytes:
        resource = {name: value for name, value in (entry.resource or {}).items() if name != "id"}
        meta = resource.get("meta")
        if isinstance(meta, dict):
            kept = {name: value for name, value in meta.items() if name not in {"versionId", "lastUpdated"}}
            if kept:
                resource["meta"] = kept
            else:
                del resource["meta"]
        return REFERENCE.sub(lambda found: self._absolute(found, base_of(entry.full_url)), dumps(resource))

    def _absolute(self, found: re.Match[bytes], base: str | None) -> bytes:
        """A relative reference as the address it means: `Device/1` of two servers are two devices."""
        reference = found.group(1).decode()
        if reference.startswith(f"{self._base_url}/"):
            return b'"reference":"%s"' % reference.removeprefix(f"{self._base_url}/").encode()
        plain = without_version(reference)
        if base is None or not _RELATIVE.fullmatch(plain):
            return found.group(0)
        sent = f"{base}/{plain}" in self._full_urls
        if not sent and plain in self._local_names and self._references.may_stand_in(plain):
            return found.group(0)
        return b'"reference":"%s/%s"' % (base.encode(), reference.encode())


def is_kept(entry: ParsedEntry) -> bool:
    """Whether an entry is kept as a resource: of a type that is, and not made by us."""
    return entry.resource is not None and entry.type in KEPT_TYPES and not is_own_output(entry.resource)


def _local_names(entry: ParsedEntry) -> Iterator[str]:
    """The forms in which other entries refer to this one."""
    if entry.resource is None:
        return
    if entry.full_url:
        yield without_version(entry.full_url)
    own = string(entry.resource.get("id"))
    if own:
        yield f"{entry.type}/{own}"
    elif entry.full_url and (base := base_of(entry.full_url)):
        yield without_version(entry.full_url).removeprefix(f"{base}/")


def _identifiers(entry: ParsedEntry) -> Iterator[tuple[str, str, str]]:
    """Type, system and value of the identifiers that name this very resource."""
    for identifier in objects((entry.resource or {}).get("identifier")):
        system, value = string(identifier.get("system")), string(identifier.get("value"))
        kinds = {coding.code for coding in codings(mapping(identifier.get("type")))}
        if system and value and string(identifier.get("use")) != "temp" and not kinds & _NUMBERS_OF_SOMETHING_ELSE:
            yield entry.type or "", system, value


def version_named(if_match: str | None) -> int | None:
    """The version in ifMatch; None where there is none, and one that never is where it names none of ours."""
    if not if_match or if_match.strip() == "*":
        return None
    return next(iter(versions_named(if_match)), -1)


def _own_output_issues(bundle: ParsedBundle) -> Iterable[Issue]:
    paths = [
        f"Bundle.entry[{entry.index}].resource"
        for entry in bundle.entries
        if entry.resource is not None and is_own_output(entry.resource)
    ]
    if paths:
        text = "Made by Fillertrace itself: it is never evidence and was left out."
        issue = Issue(severity=INFORMATION, code="informational", detail="own-output", text=text)
        yield grouped(issue, paths=paths)
