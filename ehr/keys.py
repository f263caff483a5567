"""This file keeps our own keys: a file with a JWK set, private keys included, the first of which signs.

A new key is added at the end, so that it is published before it signs; once every server has had time to fetch it, it
is put first; the old one is taken away when nothing it signed can still be on its way.
JWK sets: https://www.rfc-editor.org/rfc/rfc7517. Algorithms: SMART App Launch 2.2, asymmetric client authentication.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeyParameters, KeySet, RSAKey

from ehr.errors import KeysNotUsable

ALGORITHMS: Final = ("RS384", "ES384")
_RSA_BITS: Final = 3072  # as strong as SHA-384 needs, by NIST SP 800-57


class OwnKeys:
    """The keys of a file, read again when it changes. Safe for many threads. Raises KeysNotUsable on use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def public(self) -> dict[str, Any]:
        """The JWK set that is published: every key, without its private parts."""
        return public_set(self._current())

    def signing(self, algorithms: Collection[str]) -> Key:
        """The first key whose algorithm is among these."""
        for key in self._current():
            if key.alg in algorithms:
                return key
        raise KeysNotUsable(f"{self._path} holds no key for {' or '.join(sorted(algorithms))}")

    def _current(self) -> tuple[Key, ...]:
        with self._lock:
            try:
                stat = self._path.stat()
                state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                if state != self._read_at:
                    self._keys, self._read_at = read_keys(self._path), state
            except OSError as error:
                raise KeysNotUsable(f"{self._path} cannot be read ({error.strerror})") from None
            return self._keys


def public_set(keys: Sequence[Key]) -> dict[str, Any]:
    """The JWK set of these keys without their private parts."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file in their order; one without a kid has its thumbprint. Raises KeysNotUsable, OSError."""
    try:
        keys = KeySet.import_key_set(json.loads(path.read_bytes())).keys
        for key in keys:
            jwt.encode({"alg": key.alg}, {}, key, algorithms=list(ALGORITHMS))  # better now than when a token is due
    except (ValueError, KeyError, TypeError, JoseError):
        raise KeysNotUsable(f"{path} is not a JWK set of private RS384 and ES384 keys, each with its alg") from None
    if len({key.kid for key in keys}) < len(keys):
        raise KeysNotUsable(f"{path} holds two keys with one kid")
    return tuple(keys)


def new_key(algorithm: str) -> Key:
    """A new key for RS384 or ES384, with a kid that can be read aloud."""
    about: KeyParameters = {"alg": algorithm, "use": "sig", "kid": f"{algorithm.lower()}-{secrets.token_hex(4)}"}
    if algorithm == "RS384":
        return RSAKey.generate_key(_RSA_BITS, about, private=True)
    return ECKey.generate_key("P-384", about, private=True)


def write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Replace the file in one step, readable by its owner alone. Raises OSError."""
    content = json.dumps({"keys": [key.as_dict(private=True) for key in keys]}, indent=2) + "\n"
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:  # mode 0600
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
