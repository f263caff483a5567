"""This file puts a finished report on another FHIR server: once, whatever happens, and never over a person's work.

Every resource of ours has an id that is the same in all versions and on every server, and carries a digest of what we
wrote (`written_content`). So each attempt begins with a look: what stands there says by itself whether it is ours,
unchanged, and still to be written. The rules as a table: docs/write-back.md. HAPI duplicates under a concurrent
conditional update, so none is used.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ehr.answers import objects_in
from ehr.client import FhirClient
from ehr.errors import NotThere, Refused, Unavailable
from ehr.references import literal, with_references
from ehr.retries import pause_after
from ehr.written_content import mark_of, marked, stands_as_written

OURS: Final = frozenset({"DiagnosticReport", "Observation", "Provenance", "Device", "Organization"})
_ANSWER: Final = frozenset({"DiagnosticReport", "Observation"})
"""What says the answer. The others say where it comes from, and are written along with it only."""
_WITHDRAWN: Final = "entered-in-error"
_DRAFT: Final = "preliminary"


class Written(StrEnum):
    """What came of writing a report back."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  # it stands there already
    EDITED_THERE = "edited-there"  # a person has signed or changed it: nothing was written
    DELETED_THERE = "deleted-there"  # a part of it was deleted: nothing was written
    NEWER_THERE = "newer-there"  # a version stands there that was issued later: nothing was written
    ANOTHER_REPORT_THERE = "another-report-there"  # a living report of ours under another id: nothing was written


def write_back(client: FhirClient, result_bundle: Mapping[str, Any], *, references: Mapping[str, str]) -> Written:
    """Put the report of a result Bundle (contract, section 4) on the server of `client`.

    `references` turns a reference to an input, as it stands in the result, into the one that server knows
    (`Procedure/<our id>` → `Procedure/12`); one that is not in it is kept as a logical one, by identifier. Raises
    EhrError: Refused where the server will not take it, Unavailable where it may later.
    """
    wanted = _as_written(result_bundle, references)
    attempted: Written | None = None
    failures = 0
    while True:
        plan = _plan(client, wanted)
        if not plan.entries:
            # The answer to an earlier attempt may have been lost, and its work not.
            return attempted if attempted and plan.written is Written.UNCHANGED else plan.written
        attempted = plan.written
        try:  # once: a second one must not go over what a person has changed in between
            client.transaction(_transaction(plan.entries), attempts=1)
        except Unavailable as failure:
            failures += 1
            if failures == client.attempts:
                raise
            time.sleep(pause_after(failure, attempt=failures - 1, pause_seconds=client.pause_seconds))
        else:
            return plan.written


def _as_written(result_bundle: Mapping[str, Any], references: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """What is to stand on the server, the report first. Raises Refused where it is nobody's there."""
    ours = [entry for entry in result_bundle["entry"] if entry["resource"]["resourceType"] in OURS]
    own = {entry["fullUrl"]: _name(entry["resource"]) for entry in ours}
    known = {**own, **{name: name for name in own.values()}, **references}
    report, *others = (marked(with_references(entry["resource"], known)) for entry in ours)
    if report["resourceType"] != "DiagnosticReport":
        raise ValueError("there is no report in this result")
    if _patient_of(report) is None:
        raise Refused("the server does not know whose report this is")
    return report, *others


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be written, and what it would come to."""

    written: Written
    entries: tuple[dict[str, Any], ...] = ()


def _plan(client: FhirClient, wanted: Sequence[dict[str, Any]]) -> _Plan:
    """Look at what stands there, and decide. Raises EhrError."""
    there: dict[str, dict[str, Any]] = {}
    for resource in wanted:
        try:
            there[_name(resource)] = client.read(resource["resourceType"], resource["id"])
        except NotThere as error:
            if error.deleted:
                return _Plan(written=Written.DELETED_THERE)
    if any(not stands_as_written(one) for one in there.values() if one["resourceType"] in _ANSWER):
        return _Plan(written=Written.EDITED_THERE)
    report = wanted[0]
    before = there.get(_name(report))
    if before is None:
        if _another_lives(client, report):
            return _Plan(written=Written.ANOTHER_REPORT_THERE)
        _check_ids_can_be_ours(client)
    elif _patient_of(before) != _patient_of(report):
        raise Refused("the report stands there for another Patient of the same identity: one of the two must be merged")
    changed = [one for one in wanted if one["resourceType"] in _ANSWER and _differs(one, there)]
    if changed and before is not None and (reason := _outranked(report, by=before)):
        return _Plan(written=reason)
    dropped = _dropped(client, before, there) if before is not None else []
    if not changed and not dropped:
        return _Plan(written=Written.UNCHANGED)
    changed += [one for one in wanted if one["resourceType"] not in _ANSWER and _differs(one, there)]
    new = [one for one in changed if _name(one) not in there]
    condition = _while_absent(client) if new else {}
    return _Plan(
        written=Written.CREATED if before is None else Written.UPDATED,
        entries=(
            *(_put(one, condition) for one in new),
            *(_update(one, there[_name(one)]) for one in changed if one not in new),
            *(_withdrawal(one) for one in dropped),
        ),
    )


def _outranked(report: Mapping[str, Any], *, by: Mapping[str, Any]) -> Written | None:
    """Why a report does not replace the one that stands there: a draft never replaces what a person has signed or
    withdrawn with us, and of two drafts, or two that are not, the later one stays."""
    draft, draft_there = report["status"] == _DRAFT, by["status"] == _DRAFT
    if draft and not draft_there:
        return Written.EDITED_THERE
    return Written.NEWER_THERE if draft == draft_there and _issued(by) > _issued(report) else None


def _differs(resource: dict[str, Any], there: Mapping[str, dict[str, Any]]) -> bool:
    """Whether a resource is to be written: it is not there, or stands there as we wrote it, with another content."""
    standing = there.get(_name(resource))
    return standing is None or (stands_as_written(standing) and mark_of(standing) != mark_of(resource))


def _dropped(
    client: FhirClient, before: Mapping[str, Any], there: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The results of the version before that are none of this one, as far as nobody has changed or withdrawn them."""
    found = []
    for item in objects_in(before.get("result")):
        target = literal(item.get("reference"))
        if target is None or f"{target.type}/{target.id}" in there:
            continue
        try:
            standing = client.read(target.type, target.id)
        except NotThere:
            continue
        if stands_as_written(standing) and standing.get("status") != _WITHDRAWN:
            found.append(standing)
    return found


def _another_lives(client: FhirClient, report: Mapping[str, Any]) -> bool:
    """Whether the patient has a report with our code and another id that is not withdrawn."""
    code = report["code"]["coding"][0]
    parameters = {"patient": _patient_of(report) or "", "code": f"{code['system']}|{code['code']}"}
    return any(
        found["id"] != report["id"]
        and found.get("status") != _WITHDRAWN
        and any((one.get("system"), one.get("code")) == (code["system"], code["code"]) for one in _codings(found))
        for found in client.search("DiagnosticReport", parameters)
    )


def _check_ids_can_be_ours(client: FhirClient) -> None:
    """Raises Refused where the server says that it gives all ids itself. One that says nothing is tried."""
    if client.offered_types().get("DiagnosticReport", {}).get("updateCreate") is False:
        raise Refused(
            f"{client.host} takes no DiagnosticReport under an id of ours (updateCreate is false in its "
            "CapabilityStatement): a report cannot be kept single there"
        )


def _transaction(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def _while_absent(client: FhirClient) -> dict[str, str]:
    """The condition of a create: that still nothing stands there. Raises Unavailable.

    HAPI (8.8.0) overlooks ifNoneMatch at a PUT. The version before the first, which others take for one that there must
    be, it refuses (409) as soon as anything stands there, or was deleted, and for nothing else.
    """
    try:
        software = client.capability_statement().get("software")
    except Refused:
        software = None
    is_hapi = isinstance(software, dict) and "HAPI" in str(software.get("name"))
    return {"ifMatch": _weak("0")} if is_hapi else {"ifNoneMatch": "*"}


def _put(resource: dict[str, Any], condition: Mapping[str, str]) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "PUT", "url": _name(resource), **condition}}


def _update(resource: dict[str, Any], standing: dict[str, Any]) -> dict[str, Any]:
    etag = _etag(standing)
    if etag is None:
        raise Refused("the server names no version of what stands there, and an update could undo another one")
    return _put(_with_labels_of(standing, resource), {"ifMatch": etag})


def _with_labels_of(standing: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with its own labels and those that were put on it there: whoever restricts it goes on doing so."""
    meta, meta_there = dict(resource["meta"]), standing["meta"]
    for name in ("security", "tag"):
        own = objects_in(meta.get(name))
        labels = [*own, *(label for label in objects_in(meta_there.get(name)) if label not in own)]
        if labels:
            meta[name] = labels
    return {**resource, "meta": meta}


def _withdrawal(standing: dict[str, Any]) -> dict[str, Any]:
    return _update(marked({**standing, "status": _WITHDRAWN}), standing)


def _etag(standing: Mapping[str, Any]) -> str | None:
    version = standing["meta"].get("versionId") if isinstance(standing.get("meta"), dict) else None
    return _weak(version) if isinstance(version, str) else None


def _weak(version: str) -> str:
    """The ETag of a version; HAPI 8.8 writes the bare version into a transaction's response."""
    return f'W/"{version.removeprefix("W/").strip(chr(34))}"'


def _issued(report: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(report["issued"])


def _patient_of(report: Mapping[str, Any]) -> str | None:
    target = literal(report["subject"].get("reference"))
    return target.id if target and target.type == "Patient" and target.base_url is None else None


def _codings(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    code = resource.get("code")
    return objects_in(code.get("coding")) if isinstance(code, dict) else []


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
