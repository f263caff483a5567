"""This file writes who made a report: our software as a Device, and the Organization that answers for it.

One Device stands for one software version with one knowledge edition and digest, and is never changed afterwards, so
that an old report goes on naming what made it.
FHIR R4: https://hl7.org/fhir/R4/device.html, https://hl7.org/fhir/R4/organization.html
"""

from __future__ import annotations

from typing import Any

from fhir_mappings import canonical
from fhir_mappings.report_frame import OwnReference


def device_id(*, software_version: str, edition: str, digest: str) -> str:
    """The id of our Device, the same on every server."""
    return canonical.own_id(canonical.device_value(software_version=software_version, edition=edition, digest=digest))


def write_device(*, software_version: str, edition: str, digest: str, own_reference: OwnReference) -> dict[str, Any]:
    """Our software with its version, the knowledge edition it reasons by and that edition's digest."""
    value = canonical.device_value(software_version=software_version, edition=edition, digest=digest)
    return {
        "resourceType": "Device",
        "id": canonical.own_id(value),
        "meta": {"tag": [canonical.own_output_tag()]},
        "identifier": [{"system": canonical.DEVICE_IDENTIFIER, "value": value}],
        "status": "active",
        "manufacturer": canonical.SOFTWARE_NAME,
        "deviceName": [{"name": canonical.SOFTWARE_NAME, "type": "user-friendly-name"}],
        "type": {"text": "Software that correlates records for review by a clinician"},
        "version": [
            {"type": {"text": "software version"}, "value": software_version},
            {"type": {"text": "knowledge edition"}, "value": edition},
        ],
        "property": [
            {"type": {"text": "SHA-256 over the files of the knowledge edition"}, "valueCode": [{"text": digest}]}
        ],
        "owner": {"reference": own_reference("Organization", canonical.ORGANIZATION_ID)},
        "note": [{"text": "Decision support, not a diagnosis. Not a medical device: for research and demonstration."}],
    }


def write_organization() -> dict[str, Any]:
    """The Organization named as performer and author."""
    return {
        "resourceType": "Organization",
        "id": canonical.ORGANIZATION_ID,
        "meta": {"tag": [canonical.own_output_tag()]},
        "identifier": [{"system": canonical.ORGANIZATION_IDENTIFIER, "value": canonical.ORGANIZATION_VALUE}],
        "active": True,
        "name": canonical.SOFTWARE_NAME,
    }
