"""Our own keys: how they are kept, renewed and published."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, Key, RSAKey

from ehr.errors import KeysNotUsable
from ehr.keys import OwnKeys, new_key, read_keys, write_keys

PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


@pytest.fixture(scope="module")
def two_keys() -> list[Key]:
    return [new_key("ES384"), new_key("RS384")]


@pytest.fixture
def file(tmp_path: Path, two_keys: list[Key]) -> Path:
    path = tmp_path / "keys.json"
    write_keys(path, two_keys)
    return path


def test_what_is_published_holds_nothing_private(file: Path) -> None:
    published = OwnKeys(file).public()["keys"]
    assert [(key["kty"], key["alg"], key["use"]) for key in published] == [
        ("EC", "ES384", "sig"),
        ("RSA", "RS384", "sig"),
    ]
    assert all(key["kid"] for key in published)
    assert not PRIVATE & {name for key in published for name in key}
    assert PRIVATE & {name for key in json.loads(file.read_text())["keys"] for name in key}


def test_the_first_key_of_an_algorithm_signs(file: Path) -> None:
    first, second = read_keys(file)
    keys = OwnKeys(file)
    assert keys.signing({"RS384", "ES384"}).kid == first.kid
    assert keys.signing({"RS384"}).kid == second.kid
    with pytest.raises(KeysNotUsable, match="RS512"):
        keys.signing({"RS512"})


def test_a_changed_file_is_read_again(file: Path) -> None:
    keys = OwnKeys(file)
    before = keys.signing({"ES384"})
    renewed = new_key("ES384")
    write_keys(file, [renewed, *read_keys(file)])
    assert keys.signing({"ES384"}).kid == renewed.kid
    assert len(keys.public()["keys"]) == 3
    assert before.kid in {key["kid"] for key in keys.public()["keys"]}


def test_the_file_is_for_its_owner_and_replaced_in_one_step(file: Path) -> None:
    os.chmod(file, 0o644)
    write_keys(file, read_keys(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]


def _as_set(*keys: dict[str, object]) -> str:
    return json.dumps({"keys": list(keys)})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        _as_set(),
        _as_set({"kty": "EC"}),
        _as_set(ECKey.generate_key("P-384", {"alg": "ES384"}, auto_kid=True).as_dict(private=False)),
        _as_set(ECKey.generate_key("P-256", {"alg": "ES256"}, auto_kid=True).as_dict(private=True)),
        _as_set(ECKey.generate_key("P-256", {"alg": "ES384"}, auto_kid=True).as_dict(private=True)),
        _as_set(ECKey.generate_key("P-384").as_dict(private=True)),
        _as_set(RSAKey.generate_key(2048, {"alg": "ES384"}, auto_kid=True).as_dict(private=True)),
        _as_set(*[ECKey.generate_key("P-384", {"alg": "ES384", "kid": "a"}).as_dict(private=True) for _ in "12"]),
    ],
)
def test_a_file_that_cannot_sign_is_refused_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(KeysNotUsable) as refused:
        OwnKeys(path).public()
    assert str(refused.value).startswith(str(path))
    assert not {'"', "{"} & set(str(refused.value))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeysNotUsable, match="No such file"):
        OwnKeys(tmp_path / "none.json").public()
