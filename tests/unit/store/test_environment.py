"""Settings from a mapping of variables."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from store.environment import check_rooms, list_settings, mask, read_settings, setting
from store.errors import SettingsError
from store.settings import StoreSettings
from workers.settings import WorkerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    count: int = setting(1, "How many.")
    folder: Path | None = setting(None, "Where.")  # noqa: RUF009 - ruff knows the original only
    open: bool = setting(False, "Whether.")
    key: str = setting("", "A secret.", secret=True)


def test_without_variables_the_defaults_hold() -> None:
    assert read_settings(StoreSettings, {}, room="store") == StoreSettings()
    assert read_settings(WorkerSettings, {"PATH": "/bin", "REDIS_URL": "x"}, room="workers") == WorkerSettings()


def test_every_kind_is_read() -> None:
    environ = {
        "FILLERTRACE_DATABASE_URL": "sqlite:///x",
        "FILLERTRACE_STORE_LEASE_SECONDS": "1.5",
        "FILLERTRACE_STORE_RETRY_DELAYS_SECONDS": "1, 2.5",
    }
    read = read_settings(StoreSettings, environ, room="store")
    assert (read.database_url, read.lease_seconds, read.retry_delays_seconds) == ("sqlite:///x", 1.5, (1.0, 2.5))
    room = {"FILLERTRACE_API_COUNT": "3", "FILLERTRACE_API_FOLDER": "/x", "FILLERTRACE_API_OPEN": "Yes"}
    assert read_settings(_Room, room, room="api") == _Room(count=3, folder=Path("/x"), open=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FILLERTRACE_STORE_LEASE_SECONDS", "soon"),
        ("FILLERTRACE_STORE_LEASE_SECONDS", "0"),
        ("FILLERTRACE_STORE_MAX_ATTEMPTS", "2.5"),
        ("FILLERTRACE_STORE_LEESE_SECONDS", "1"),
        ("FILLERTRACE_STORE_DATABASE_URL", "sqlite:///x"),
    ],
)
def test_what_cannot_be_read_or_is_unknown_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(StoreSettings, {name: value}, room="store")
    assert name.rsplit("_", 1)[-1].lower() in str(refused.value).lower()


def test_a_variable_of_no_room_is_refused_and_one_of_another_room_is_not() -> None:
    check_rooms({"FILLERTRACE_API_ACCESS": "open", "FILLERTRACE_REDIS_URL": "x", "FILLERTRACE_REDIS_URL_FILE": "x"})
    check_rooms({"FILLERTRACE_TEST_HAPI_URL": "x", "HOME": "/"})
    with pytest.raises(SettingsError, match="FILLERTRACE_REDISURL"):
        check_rooms({"FILLERTRACE_REDISURL": "x"})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("redis://:word@host/0\n")
    assert (
        read_settings(StoreSettings, {"FILLERTRACE_REDIS_URL_FILE": str(file)}, room="store").redis_url
        == "redis://:word@host/0"
    )
    both = {"FILLERTRACE_REDIS_URL_FILE": str(file), "FILLERTRACE_REDIS_URL": "x"}
    with pytest.raises(SettingsError):
        read_settings(StoreSettings, both, room="store")
    with pytest.raises(SettingsError):
        read_settings(_Room, {"FILLERTRACE_API_COUNT_FILE": str(file)}, room="api")
    with pytest.raises(SettingsError):
        read_settings(_Room, {"FILLERTRACE_API_KEY_FILE": "/nowhere"}, room="api")


def test_the_list_has_every_field_with_its_meaning_and_hides_secrets() -> None:
    settings = StoreSettings(database_url="postgresql://me:word@db/x?sslpassword=word", redis_url="redis://h/0")
    listed = {one.variable: one for one in list_settings(settings, room="store")}
    assert all(one.meaning for one in listed.values())
    assert listed["FILLERTRACE_DATABASE_URL"].value == "postgresql://me:******@db/x?******"
    assert listed["FILLERTRACE_REDIS_URL"].value == "redis://h/0"
    assert listed["FILLERTRACE_STORE_RETRY_DELAYS_SECONDS"].value == "1.0,5.0,30.0,120.0"
    assert mask("plain") == "******"
