import pytest

from api.access.caller import OPEN_CALLER, Caller
from api.access.errors import AccessNotPossible
from api.access.guard import Need, check_access, is_loopback, permits


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


def _need(contexts: str, rights: str) -> Need:
    return Need(contexts=frozenset(contexts.split("|")), resource_type="Task", rights=frozenset(rights))


@pytest.mark.parametrize(
    ("scope", "need", "allowed"),
    [
        ("system/*.cruds", _need("user|system", "r"), True),
        ("system/Task.rs", _need("system", "rs"), True),
        ("system/Task.rs", _need("system", "u"), False),
        ("system/Task.rs", _need("user", "r"), False),
        ("user/Observation.rs", _need("user", "r"), False),
    ],
)
def test_scopes_decide(scope: str, need: Need, allowed: bool) -> None:
    assert permits(Caller(client_id="one", scopes=frozenset({scope})), need=need) is allowed


def test_the_open_caller_may_do_all_and_is_not_verified() -> None:
    assert permits(OPEN_CALLER, need=_need("user", "cruds"))
    assert not OPEN_CALLER.verified
