"""This file writes down what a report version was computed from, and reads it back: ids, versions, dates and digests.

Never a value of the record: the resources themselves are kept by the record in every version, the knowledge base by its
digest. With these, the software and nothing else, a version can be computed again (`recomputed.py`).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from correlation.timeline import DataClass, Withheld, WithheldBecause
from fhir_mappings.report_frame import ReportIdentity, instant

_FORM: Final = 2
_FORMS: Final = (1, _FORM)  # form 1 knew of nothing withheld
_QUICK: Final = 1  # zlib's level: ids hardly get smaller with more


class UnreadableBasis(ValueError):
    """The bytes are no basis that this release knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What one report version was computed from.

    `resources` are our ids and versions of everything that was loaded, in its order. `identity` is the computed
    version; a version that a person signed or withdrew later has the basis of the one it rests on. `patient_id` and
    `revision_of` (a withdrawn report) are ids of ours; `as_of` is the day that counted as today. `withheld` are the
    classes of data that were known not to be among the resources, or not wholly.
    """

    identity: ReportIdentity
    patient_id: str
    revision_of: str | None
    as_of: date
    knowledge_digest: str
    knowledge_edition: str
    software_version: str
    resources: tuple[tuple[str, int], ...]
    withheld: tuple[Withheld, ...] = ()


def write_basis(basis: Basis) -> bytes:
    """The basis as compressed JSON."""
    identity = basis.identity
    content = {
        "form": _FORM,
        "report": identity.report_id,
        "version": identity.version,
        "status": identity.status,
        "issued": instant(identity.issued),
        "patient": basis.patient_id,
        "revisionOf": basis.revision_of,
        "asOf": basis.as_of.isoformat(),
        "knowledge": basis.knowledge_digest,
        "edition": basis.knowledge_edition,
        "software": basis.software_version,
        "resources": basis.resources,
        "withheld": [(item.data, item.because) for item in basis.withheld],
    }
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode("ascii"), _QUICK)


def read_basis(written: bytes) -> Basis:
    """The basis in bytes of `write_basis`. Raises UnreadableBasis."""
    try:
        content = json.loads(zlib.decompress(written))
        if content["form"] not in _FORMS:
            raise UnreadableBasis("a form of another release")
        return Basis(
            identity=ReportIdentity(
                report_id=content["report"],
                version=content["version"],
                status=content["status"],
                issued=datetime.fromisoformat(content["issued"]),
            ),
            patient_id=content["patient"],
            revision_of=content["revisionOf"],
            as_of=date.fromisoformat(content["asOf"]),
            knowledge_digest=content["knowledge"],
            knowledge_edition=content["edition"],
            software_version=content["software"],
            resources=tuple((identity, version) for identity, version in content["resources"]),
            withheld=tuple(
                Withheld(data=DataClass(data), because=WithheldBecause(because))
                for data, because in content.get("withheld", ())
            ),
        )
    except (zlib.error, ValueError, KeyError, TypeError):
        raise UnreadableBasis("not a basis") from None
