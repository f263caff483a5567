"""Validity of what we write: fhir.resources for the shape, HAPI's validator for the rest of R4."""

import json
from collections.abc import Iterable
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from tests.servers.hapi import HapiValidator


def assert_valid(resources: Iterable[dict[str, Any]], validator: HapiValidator) -> None:
    for resource in resources:
        as_json = json.loads(json.dumps(resource))
        get_fhir_model_class(resource["resourceType"]).model_validate(as_json)
        errors = [finding for finding in validator.validate(resource) if finding.is_error]
        assert errors == [], resource["resourceType"]
