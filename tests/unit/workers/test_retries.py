"""Which errors are tried again."""

from fhir_mappings.bundle import BundleRejected
from store.errors import Busy, NotFound
from workers.retries import worth_another_attempt


def test_almost_everything_is_tried_again() -> None:
    assert worth_another_attempt(Busy("x"))
    assert worth_another_attempt(MemoryError())
    assert worth_another_attempt(KeyError())
    assert not worth_another_attempt(NotFound("Patient", "x"))
    assert not worth_another_attempt(BundleRejected(status=422))
