"""JSON that is no object is read as what it is; only what is nested is deep."""

import pytest

from fhir_mappings.resource_json import TooDeep, read_json


@pytest.mark.parametrize(("raw", "content"), [(b"null", None), (b"7", 7), (b"true", True), (b'"text"', "text")])
def test_a_single_value_is_read(raw: bytes, content: object) -> None:
    assert read_json(raw, depth=1).content == content


def test_depth_is_counted_from_the_outermost_bracket() -> None:
    assert read_json(b'[{"a": 1}]', depth=2).content == [{"a": 1}]
    with pytest.raises(TooDeep):
        read_json(b'[{"a": [1]}]', depth=2)
