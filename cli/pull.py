"""`fillertrace pull`: one patient's record from a FHIR server, correlated; with --write-back the report goes back.

Keeps nothing here. The result is on stdout; what was fetched, and what could not be seen, is on stderr. The server may
be on a private address and without TLS, since it is named; so may that of --token-url. Exit code 0 done, 2 wrong usage,
3 the record is refused (its OperationOutcome is on stdout), 4 the server could not be reached, or refused.

A server that wants a token gets to know us by --client-id and --key-set; `fillertrace keys FILE --new ES384` makes the
key set. These settings hold here, too; `fillertrace settings` says what they mean: FILLERTRACE_EHR_ALLOW, _ATTEMPTS,
_CA_FILE, _MAX_BYTES, _MAX_PAGES, _SCOPE and _TIMEOUT_SECONDS.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from cli.answer_form import add_form_arguments
from cli.exit_codes import SERVER_REFUSED, WRONG_USAGE
from cli.verb import Verb

if TYPE_CHECKING:
    from ehr.settings import EhrSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--from", dest="base_url", type=_base_url, required=True, metavar="BASE", help="the base of a FHIR R4 server"
    )
    parser.add_argument(
        "--patient", type=_patient_id, required=True, metavar="ID", help="the id of the Patient there: 12 or Patient/12"
    )
    parser.add_argument(
        "--write-back",
        action="store_true",
        help="put the report on that server; one of ours that stands there is updated, and left alone where a person "
        "has signed, changed or deleted it",
    )
    add_form_arguments(parser)
    parser.add_argument(
        "--client-id", metavar="ID", help="our client id there (SMART Backend Services), with --key-set"
    )
    parser.add_argument(
        "--key-set", type=Path, metavar="FILE", help="the file with our keys, as `fillertrace keys` makes it"
    )
    parser.add_argument(
        "--token-url",
        type=_token_url,
        metavar="URL",
        help="where that server's tokens are given, where it names an endpoint on another host or port",
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Fetch, correlate, print, and write back where that is asked."""
    if (arguments.client_id is None) != (arguments.key_set is None):
        return _complain("--client-id and --key-set go together.", WRONG_USAGE)
    # Imported here: --help must not wait for the FHIR models.
    from cli.pulling import pull
    from cli.stateless_answer import spoken_language
    from ehr.errors import EhrError, KeysNotUsable, NotPermitted, NotThere
    from ehr.keys import ALGORITHMS, OwnKeys
    from store.errors import SettingsError

    language = spoken_language(arguments.language)
    if language is None:
        return _complain(f"no words for --language {arguments.language}; try en or es.", WRONG_USAGE)
    try:
        if arguments.key_set is not None:
            OwnKeys(arguments.key_set).signing(ALGORITHMS)  # before anything is sent, not when the token is due
    except KeysNotUsable as reason:
        return _complain(f"{reason}; `fillertrace keys` lists and makes keys.", WRONG_USAGE)
    try:
        return pull(arguments, settings=_settings(arguments, environment), language=language)
    except SettingsError as reason:
        return _complain(str(reason), WRONG_USAGE)
    except NotThere as reason:
        return _complain(f"{reason}: is --patient right, and --from the base of the server?", SERVER_REFUSED)
    except NotPermitted as reason:
        return _complain(f"{reason}{_how_to_get_a_token(arguments, reason.status)}.", SERVER_REFUSED)
    except EhrError as reason:
        return _complain(f"{reason}.", SERVER_REFUSED)


def _settings(arguments: argparse.Namespace, environment: Mapping[str, str]) -> EhrSettings:
    """The settings of the environment, with leave to call the hosts that were named. Raises SettingsError."""
    from ehr.settings import EhrSettings
    from store.environment import check_rooms, read_settings

    check_rooms(environment)
    settings = read_settings(EhrSettings, environment, room="ehr")
    named = (urlsplit(url).hostname for url in (arguments.base_url, arguments.token_url) if url)
    return replace(settings, allow=(*settings.allow, *(host for host in named if host)))


def _base_url(text: str) -> str:
    parts = _web_address(text)
    if parts is None or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError("the base of a FHIR server, such as https://ehr.example/fhir")
    return text.rstrip("/")


def _token_url(text: str) -> str:
    if _web_address(text) is None:
        raise argparse.ArgumentTypeError("a token endpoint, such as https://login.example/token")
    return text


def _web_address(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _patient_id(text: str) -> str:
    id_ = text.removeprefix("Patient/")
    if not id_ or "/" in id_:
        raise argparse.ArgumentTypeError("the id of the Patient on that server, such as 12 or Patient/12")
    return id_


def _how_to_get_a_token(arguments: argparse.Namespace, status: int | None) -> str:
    if status != 401 or arguments.client_id is not None:
        return ""
    return ": it wants a token; give --client-id and --key-set (`fillertrace keys FILE --new ES384` makes the key set)"


def _complain(text: str, code: int) -> int:
    print(f"fillertrace pull: {text}", file=sys.stderr)
    return code


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace pull --from https://ehr.hospital.example/fhir --patient 12 --format worksheet\n"
    "  fillertrace pull --from http://localhost:8090/fhir --patient 12 --write-back > result.json\n"
    "  fillertrace pull --from https://ehr.example/fhir --patient 12 --client-id fillertrace --key-set keys.json",
)
