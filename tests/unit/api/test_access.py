import pytest

from api.access.errors import AccessNotPossible
from api.access.guard import check_access, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "localhost", "::1", "[::1]"])
def test_open_access_is_given_on_loopback(host: str) -> None:
    check_access("open", host=host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "my-laptop"])
def test_open_access_is_given_nowhere_else(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(AccessNotPossible, match="loopback"):
        check_access("open", host=host)


def test_smart_access_is_said_not_to_be_there() -> None:
    with pytest.raises(AccessNotPossible, match="not available in this release"):
        check_access("smart", host="127.0.0.1")
