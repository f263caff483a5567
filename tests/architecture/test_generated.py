"""Pages that are written from the code say what the code says."""

from tests.architecture.generated import stale


def test_generated_pages_are_fresh() -> None:
    assert stale() == []
