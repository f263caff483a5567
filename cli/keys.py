"""`fillertrace keys FILE`: the keys by which FHIR servers know us (SMART Backend Services), as a JWK set in a file.

The first key in the file signs; where a server takes only the other algorithm, the first key for that one. All are
published, without their private parts, at /.well-known/jwks.json of the service; register that address with the server.

To renew the keys without a gap: make a new one (--new), which is published and does not sign yet; a day later, when
every server has fetched it, let it sign (--first KID); another day later take the old one away (--remove KID).
Services that run read the file again by themselves.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exit_codes import DONE, FAILED, WRONG_USAGE
from cli.verb import Verb

if TYPE_CHECKING:
    from joserfc.jwk import Key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the file with the keys; --new makes it")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--new", choices=("RS384", "ES384"), help="add a new key at the end")
    change.add_argument("--first", metavar="KID", help="put this key first, so that it signs")
    change.add_argument("--remove", metavar="KID", help="take this key away")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Make the one change that is asked for, and list the keys."""
    # Imported here: --help must not wait for the cryptography.
    from ehr.errors import KeysNotUsable
    from ehr.keys import read_keys, write_keys

    file: Path = arguments.file
    try:
        before = read_keys(file) if file.exists() or not arguments.new else ()
        after = _changed(before, arguments)
        if after != before:
            write_keys(file, after)
    except _NotPossible as reason:
        return _complain(str(reason), WRONG_USAGE)
    except KeysNotUsable as reason:
        return _complain(f"{reason}.", FAILED)
    except OSError as fault:
        hint = ""
        if isinstance(fault, FileNotFoundError):
            hint = "; make its folder first" if arguments.new else "; --new ES384 makes it"
        return _complain(f"{file}: {fault.strerror}{hint}.", FAILED)
    for key in after:
        print(f"{key.kid}  {key.alg}  {_role(key, after)}")
    return DONE


class _NotPossible(Exception):
    """What was asked for cannot be done with these keys."""


def _changed(keys: tuple[Key, ...], arguments: argparse.Namespace) -> tuple[Key, ...]:
    from ehr.keys import new_key

    if arguments.new:
        return (*keys, new_key(arguments.new))
    kid = arguments.first or arguments.remove
    if kid is None:
        return keys
    named = tuple(key for key in keys if key.kid == kid)
    others = tuple(key for key in keys if key.kid != kid)
    if not named:
        raise _NotPossible("no key has this kid; without an option the kids are listed.")
    if arguments.first:
        return (*named, *others)
    if not others:
        raise _NotPossible("this is the only key; make a new one first.")
    return others


def _role(key: Key, keys: tuple[Key, ...]) -> str:
    if key is keys[0]:
        return "published, signs"
    if key is next(one for one in keys if one.alg == key.alg):
        return f"published, signs where a server takes {key.alg} only"
    return "published"


def _complain(text: str, code: int) -> int:
    print(f"fillertrace keys: {text}", file=sys.stderr)
    return code


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace keys /run/secrets/fillertrace-keys.json --new ES384",
)
