"""`fillertrace keys`: make, put first, take away."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.command import fillertrace


def listed(*arguments: str) -> list[tuple[str, str, str]]:
    done = fillertrace("keys", *arguments)
    assert done.returncode == 0, done.stderr
    lines = (line.split("  ") for line in done.stdout.decode().splitlines())
    return [(kid, algorithm, role) for kid, algorithm, role in lines]


def test_keys_are_made_renewed_and_taken_away(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    ((first, _, role),) = listed(str(file), "--new", "ES384")
    assert role == "published, signs"
    assert file.stat().st_mode & 0o777 == 0o600

    (_, _, _), (second, _, role) = listed(str(file), "--new", "ES384")
    assert role == "published"
    assert [row[::2] for row in listed(str(file), "--first", second)] == [
        (second, "published, signs"),
        (first, "published"),
    ]
    assert listed(str(file), "--remove", first) == [(second, "ES384", "published, signs")]
    assert [key["kid"] for key in json.loads(file.read_text())["keys"]] == [second]

    third = listed(str(file), "--new", "RS384")[1]
    assert third[1:] == ("RS384", "published, signs where a server takes RS384 only")
    assert listed(str(file)) == [(second, "ES384", "published, signs"), third]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 1, b"No such file or directory; --new ES384 makes it."),
        (("--first", "x"), 1, b"--new ES384 makes it."),
        (("--new", "HS256"), 2, b"invalid choice"),
        (("--new", "ES384", "--remove", "x"), 2, b"not allowed"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], code: int, says: bytes) -> None:
    done = fillertrace("keys", str(tmp_path / "none.json"), *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert says in done.stderr


def test_a_file_in_no_folder_is_not_made(tmp_path: Path) -> None:
    done = fillertrace("keys", str(tmp_path / "none" / "keys.json"), "--new", "ES384")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"make its folder first" in done.stderr
    assert not (tmp_path / "none").exists()


def test_the_last_key_stays_and_an_unknown_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    ((kid, _, _),) = listed(str(file), "--new", "ES384")
    before = file.read_bytes()
    for arguments in (("--remove", kid), ("--remove", "unknown"), ("--first", "unknown")):
        assert fillertrace("keys", str(file), *arguments).returncode == 2
    assert file.read_bytes() == before


def test_a_file_that_is_no_key_set_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"keys": "s3cret"}')
    done = fillertrace("keys", str(file), "--new", "ES384")
    assert done.returncode == 1
    assert b"not a JWK set" in done.stderr
    assert b"s3cret" not in done.stderr
    assert file.read_text() == '{"keys": "s3cret"}'
