"""This file is the one way from stored resources to a report version, for the worker and for who computes it again.

Reading and weighing come first (`assessed`), because without imaging there is no report and no version to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from correlation.assess import assess
from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.timeline import Withheld
from fhir_mappings.basis import Basis
from fhir_mappings.resource_json import loads
from fhir_mappings.result_bundle import WrittenResult, write_result
from fhir_mappings.timeline import KeptResource, Mapped, timeline_from

AMENDED = "amended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What was read of a patient and what the engine makes of it, with the resources and the knowledge."""

    kept: Sequence[KeptResource]
    knowledge: Knowledge
    mapped: Mapped
    assessment: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """A report version computed again. `written` is `None` where no imaging is in reach, and so no report."""

    assessed: Assessed
    written: WrittenResult | None


def kept_from_record(*, type_: str, identity: str, version: int, content: bytes, sha256: str) -> KeptResource:
    """A stored resource as the mappings take it: under our id and version."""
    resource = {**loads(content), "id": identity}
    resource["meta"] = {**resource.get("meta", {}), "versionId": str(version)}
    return KeptResource(
        reference=f"{type_}/{identity}",
        resource=resource,
        version=str(version),
        sha256=sha256,
        entry_index=None,
    )


def own_reference(type_: str, identity: str) -> str:
    """How a stored resource of ours is referred to."""
    return f"{type_}/{identity}"


def assessed(
    kept: Sequence[KeptResource], *, as_of: date, knowledge: Knowledge, withheld: Iterable[Withheld] = ()
) -> Assessed:
    """Read and weigh one patient's resources. `as_of` counts as today.

    `withheld` are the classes of data that are known not to be among them, or not wholly.
    """
    mapped = timeline_from(kept, as_of=as_of, knowledge=knowledge, withheld=withheld)
    assessment = assess(mapped.timeline, knowledge, as_of=as_of)
    return Assessed(kept=kept, knowledge=knowledge, mapped=mapped, assessment=assessment)


def write_version(found: Assessed, basis: Basis) -> WrittenResult:
    """The report version that `basis` describes, over stored resources. Raises ValueError without imaging in reach.

    An amended version says that new facts changed it after a signature, on the day that counts as today.
    """
    return write_result(
        found.assessment,
        found.knowledge,
        mapped=found.mapped,
        identity=basis.identity,
        own_reference=own_reference,
        patient_reference=own_reference("Patient", basis.patient_id),
        software_version=basis.software_version,
        changed_after_signature=basis.as_of if basis.identity.status == AMENDED else None,
        revision_of=basis.revision_of,
        read=found.kept,
    )


def recompute(kept: Sequence[KeptResource], basis: Basis, *, knowledge: Knowledge) -> Recomputed:
    """The version that `basis` describes, from the resources it names; `knowledge` is its edition, or another one."""
    found = assessed(kept, as_of=basis.as_of, knowledge=knowledge, withheld=basis.withheld)
    written = None if found.assessment.attribution is None else write_version(found, basis)
    return Recomputed(assessed=found, written=written)
