"""The list of summary elements is FHIR's own."""

import pytest

from tests.hapi.summary_elements import TABLE, archive, table
from tests.servers.hapi import HapiValidator


@pytest.mark.requirement("HTTP-03")
def test_the_summary_elements_are_those_of_the_structure_definitions(hapi_validator: HapiValidator) -> None:
    assert hapi_validator is not None, "it was built, and its build brings the definitions"
    assert TABLE.read_text(encoding="utf-8") == table(archive())
