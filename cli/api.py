"""`fillertrace api`: the HTTP door alone.

FILLERTRACE_DATABASE_URL and FILLERTRACE_REDIS_URL name its record and its queue. Prints `ready http://HOST:PORT/fhir`
once it answers; stops on SIGTERM and Ctrl-C. The work is done by `fillertrace worker`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from cli.exit_codes import DONE, FAILED, WRONG_USAGE
from cli.verb import Verb

_LOOK_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--host",
        help="address to listen on, with open access a loopback one (default: FILLERTRACE_API_HOST, else 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=int, help="TCP port; 0 takes any free one (default: FILLERTRACE_API_PORT, else 8080)"
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Listen until a signal comes."""
    # Imported here: --help must not wait for FastAPI.
    from api.access.errors import AccessNotPossible
    from api.listening import CannotListen, Listener
    from api.main import check_settings, open_application
    from cli.stop_signal import StopSignal
    from store.errors import SettingsError, StoreError

    try:
        settings, store_settings = check_settings(environment, host=arguments.host, port=arguments.port)
        if not (store_settings.database_url and store_settings.redis_url):
            raise SettingsError("set FILLERTRACE_DATABASE_URL and FILLERTRACE_REDIS_URL, or use fillertrace serve.")
        stop = StopSignal()
        with (
            open_application(settings, environment) as app,
            Listener(app, host=settings.host, port=settings.port) as listener,
        ):
            print(f"ready {listener.base_url}", flush=True)
            while not stop.wait(_LOOK_SECONDS):
                if not listener.alive:
                    print("fillertrace api: the HTTP server has ended.", file=sys.stderr)
                    return FAILED
    except (AccessNotPossible, SettingsError) as reason:
        print(f"fillertrace api: {reason}", file=sys.stderr)
        return WRONG_USAGE
    except (CannotListen, StoreError) as reason:
        print(f"fillertrace api: {reason}", file=sys.stderr)
        return FAILED
    return DONE


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="FILLERTRACE_DATABASE_URL=postgresql://me@db/ft FILLERTRACE_REDIS_URL=redis://redis/0 fillertrace api",
)
