from collections.abc import Iterator

import pytest

from ehr.transport import Transport


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(private_hosts=frozenset({"127.0.0.1"}), timeout_seconds=5) as open_transport:
        yield open_transport
