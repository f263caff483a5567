"""`fillertrace settings`: every setting with its meaning and the value it has here; secrets masked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from cli.exit_codes import DONE, WRONG_USAGE
from cli.verb import Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb: none."""


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the settings of every room."""
    from cli.rooms import all_settings
    from store.errors import SettingsError

    try:
        rooms = all_settings(environment)
    except SettingsError as reason:
        print(f"fillertrace settings: {reason}", file=sys.stderr)
        return WRONG_USAGE
    for room, settings in rooms.items():
        print(f"# {room}")
        for setting in settings:
            print(f"{setting.variable}={setting.value}")
            print(f"    {setting.meaning}")
            print(f"    {setting.kind}; default: {setting.default or 'none'}; example: {setting.example}")
        print()
    return DONE


VERB = Verb(
    add_arguments=add_arguments,
    run=run,
    description=__doc__ or "",
    example="fillertrace settings",
)
