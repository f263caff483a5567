"""This file numbers the records and sources that a worksheet cites, in the order in which they are first cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from correlation.timeline import ResourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Citations:
    """What has been cited so far: records as R1, R2 … and ids of sources as 1, 2 …, each with its number."""

    records: dict[str, tuple[int, ResourceRef]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    def of_records(self, refs: Iterable[ResourceRef]) -> list[int]:
        """The numbers of these records, each once."""
        cited = [self.records.setdefault(ref.reference, (len(self.records) + 1, ref)) for ref in refs]
        return list(dict.fromkeys(number for number, _ in cited))

    def of_sources(self, ids: Iterable[str]) -> list[int]:
        """The numbers of these sources, each once."""
        return list(dict.fromkeys(self.sources.setdefault(id_, len(self.sources) + 1) for id_ in ids))
