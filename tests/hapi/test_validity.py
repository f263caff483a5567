"""HAPI's R4 validator finds no error in anything that goes out, on every public case."""

from datetime import UTC, date, datetime

import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings.resource_json import dumps
from fhir_mappings.stateless import correlate_bundle
from tests.examples import CASE_IDS, case_bytes
from tests.servers.hapi import HapiValidator

AS_OF = date(2026, 11, 1)
ISSUED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("case_id", CASE_IDS)
def test_every_outgoing_resource_is_valid_r4(case_id: str, hapi_validator: HapiValidator) -> None:
    result = correlate_bundle(
        case_bytes(case_id), knowledge=load_knowledge(), as_of=AS_OF, issued=ISSUED, software_version="test"
    )
    ours = [entry["resource"] for entry in result.bundle["entry"] if entry["resource"]["resourceType"] != "Patient"]
    errors = [
        f"{resource['resourceType']} {finding.location}: {finding.message}"
        for resource in ours
        for finding in hapi_validator.validate(dumps(resource))
        if finding.is_error
    ]
    assert errors == []
    bundle_errors = [finding for finding in hapi_validator.validate(dumps(result.bundle)) if finding.is_error]
    assert bundle_errors == []
