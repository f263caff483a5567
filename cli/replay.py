"""`fillertrace replay`: compute a stored report again from what was recorded, and compare it with what is stored.

The inputs in the versions that were read, the day that counted as today and the edition of the knowledge base are taken
from the record; the software is this one. Nothing is stored. With the record of `serve` in its data folder, or the one
that FILLERTRACE_DATABASE_URL names. What is printed holds the report's content: it is for who owns the record.

Exit codes: 0 identical; 1 an answer or a word moved; 2 wrong usage; 3 no such report, or the record does not hold what
it was computed from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exit_codes import DONE, FAILED, MOVED, NOT_REPLAYABLE, WRONG_USAGE
from cli.serve import DEFAULT_DATA, sqlite_file
from cli.verb import Verb

if TYPE_CHECKING:
    from store.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("report", metavar="REPORT", help="the report's id, or its address")
    parser.add_argument("--version", metavar="N", type=_version, help="which version (default: the newest)")
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=DEFAULT_DATA,
        help="data folder of `fillertrace serve`, where FILLERTRACE_DATABASE_URL is not set (default: .fillertrace)",
    )
    parser.add_argument(
        "--with-current-knowledge",
        action="store_true",
        help="compute the same inputs with today's knowledge base, too, and show which answer it moves",
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Compute again, compare, print."""
    # Imported here: --help must not wait for the database and the engine.
    from api.recomputed import NotRecomputable
    from store.errors import NotFound, SettingsError, StoreError

    report_id, version = _named(arguments.report, arguments.version)
    try:
        database = _open(arguments.data, environment)
    except SettingsError as reason:
        return _complain(str(reason), WRONG_USAGE)
    except StoreError as reason:
        return _complain(str(reason), FAILED)
    try:
        return _replay(database, report_id, version, with_current=arguments.with_current_knowledge)
    except NotFound:
        which = report_id if version is None else f"{report_id} in version {version}"
        return _complain(f"there is no report {which} in this record", NOT_REPLAYABLE)
    except NotRecomputable as reason:
        return _complain(str(reason), NOT_REPLAYABLE)
    except StoreError as reason:
        return _complain(str(reason), FAILED)
    finally:
        database.close()


def _open(data: Path, environment: Mapping[str, str]) -> Database:
    """The record, as it is: it is never brought to a newer form here, because a service may be running on it."""
    from store.database import open_database
    from store.environment import check_rooms, read_settings
    from store.errors import SettingsError, StoreError
    from store.schema import is_current
    from store.settings import StoreSettings

    check_rooms(environment)
    settings = read_settings(StoreSettings, environment, room="store")
    file = sqlite_file(data.resolve())
    if settings.database_url is None and not file.is_file():
        raise SettingsError(f"there is no record in {data}; name the folder with --data, or FILLERTRACE_DATABASE_URL")
    database = open_database(settings.database_url or f"sqlite:///{file}", pool_size=1)
    try:
        current = is_current(database)
    except StoreError:
        database.close()
        raise
    if not current:
        database.close()
        raise StoreError("the record has the form of an older release; start the service of this release on it once")
    return database


def _replay(database: Database, report_id: str, version: int | None, *, with_current: bool) -> int:
    from api.recomputed import recompute_version
    from cli.replay_words import print_replay, print_with_current
    from correlation.knowledge_base import load_knowledge

    current = load_knowledge()
    recorded = recompute_version(database, report_id, version=version, current=current)
    moved = print_replay(recorded)
    if with_current:
        today = recompute_version(database, report_id, version=version, current=current, with_current=True)
        moved |= print_with_current(recorded, today)
    return MOVED if moved else DONE


def _named(report: str, version: int | None) -> tuple[str, int | None]:
    """Id and version in an address such as `http://…/DiagnosticReport/ID/_history/2`, or the id alone."""
    identity, _, written = report.rpartition("DiagnosticReport/")[2].partition("/_history/")
    if version is None and written.isascii() and written.isdigit():
        version = int(written)
    return identity, version


def _complain(text: str, code: int) -> int:
    print(f"fillertrace replay: {text}", file=sys.stderr)
    return code


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError("a version number from 1")
    return int(text)


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace replay 3f0c5e52-8a0f-4a7e-9d1b-2f6c1f0e7a11 --data ~/fillertrace --with-current-knowledge",
)
