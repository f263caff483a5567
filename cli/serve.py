"""`fillertrace serve`: everything in one process tree on this machine, kept in one folder.

HTTP (with open access on a loopback address), N worker processes, SQLite in DIR unless FILLERTRACE_DATABASE_URL is set,
an embedded Redis on a private socket unless FILLERTRACE_REDIS_URL is set. Prints `ready http://HOST:PORT/fhir` once it
answers; stops on SIGTERM and Ctrl-C. Deleting DIR forgets everything.
"""

from __future__ import annotations

import argparse
import fcntl
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cli.exit_codes import DONE, FAILED, WRONG_USAGE
from cli.verb import Verb

DEFAULT_DATA = Path(".fillertrace")
_TEND_SECONDS = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--host",
        help="address to listen on, with open access a loopback one (default: FILLERTRACE_API_HOST, else 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=_port, help="TCP port; 0 takes any free one (default: FILLERTRACE_API_PORT, else 8080)"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=DEFAULT_DATA,
        help="folder for all that is kept (default: .fillertrace)",
    )
    parser.add_argument("--workers", metavar="N", type=_workers, default=1, help="worker processes (default: 1)")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Serve until a signal comes."""
    # Imported here: --help must not wait for FastAPI.
    from api.access.errors import AccessNotPossible
    from api.listening import CannotListen
    from store.errors import SettingsError, StoreError

    try:
        return _serve(arguments, environment)
    except (AccessNotPossible, SettingsError) as reason:
        print(f"fillertrace serve: {reason}", file=sys.stderr)
        return WRONG_USAGE
    except (CannotListen, StoreError, _FolderInUse) as reason:
        print(f"fillertrace serve: {reason}", file=sys.stderr)
        return FAILED


def _serve(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from api.listening import Listener
    from api.main import check_settings, open_application
    from cli.processes import Workers
    from cli.stop_signal import StopSignal

    settings, store_settings = check_settings(environment, host=arguments.host, port=arguments.port)
    data = arguments.data.resolve()  # the embedded Redis has a working folder of its own
    stop = StopSignal()
    with ExitStack() as parts:
        parts.enter_context(_alone_in(data))
        urls = {
            "FILLERTRACE_DATABASE_URL": store_settings.database_url or f"sqlite:///{sqlite_file(data)}",
            "FILLERTRACE_REDIS_URL": store_settings.redis_url or _embedded_redis(data, parts),
        }
        # The workers get the addresses by their names; a _FILE beside them would say the same thing twice.
        settled = {name: value for name, value in environment.items() if name.removesuffix("_FILE") not in urls} | urls
        app = parts.enter_context(open_application(settings, settled))
        workers = Workers(arguments.workers, environment=settled)
        parts.callback(workers.stop)
        workers.tend()
        listener = parts.enter_context(Listener(app, host=settings.host, port=settings.port))
        print(f"ready {listener.base_url}", flush=True)
        while not stop.wait(_TEND_SECONDS):
            workers.tend()
            if not listener.alive:
                print("fillertrace serve: the HTTP server has ended.", file=sys.stderr)
                return FAILED
    return DONE


def sqlite_file(data: Path) -> Path:
    """The record in a data folder."""
    return data / "fillertrace.sqlite3"


def _embedded_redis(data: Path, parts: ExitStack) -> str:
    from store.embedded_redis import EmbeddedRedis

    url: str = parts.enter_context(EmbeddedRedis(data / "redis")).url
    return url


class _FolderInUse(Exception):
    """Another `serve` keeps its record in this folder."""


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    """Make the folder, readable by its owner only, and hold it: two services in one would fight over the queue."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _FolderInUse(f"another fillertrace serve is using {data}; stop it, or name another --data.") from None
        yield


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a TCP port from 0 to 65535")
    return int(text)


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("a number of worker processes from 1 to 64")
    return int(text)


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace serve --port 8080 --data ~/fillertrace --workers 2",
)
