"""Many patients with the published history, each a person of their own."""

from tests.examples import case_bytes


def published_case_of(number: int | str) -> bytes:
    """The published case as another person's record: other server, other number system, same facts."""
    return case_bytes("V01").replace(b"ehr.example.org", f"ehr-{number}.example.org".encode())
