"""This file reads Observations: a laboratory result, an imaging finding, or neither.

FHIR R4 Observation: https://hl7.org/fhir/R4/observation.html
"""

from __future__ import annotations

from correlation.timeline import LabResult
from fhir_mappings.imaging import Imaging, read_imaging_observation
from fhir_mappings.laboratory import read_labs
from fhir_mappings.record import Source


def read_observation(source: Source, imaging: Imaging) -> list[LabResult]:
    """The laboratory results of one Observation; an imaging finding goes to `imaging`. Anything else is passed over."""
    if read_imaging_observation(source, imaging):
        return []
    return read_labs(source, imaging.record)
