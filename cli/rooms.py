"""This file gathers the settings of all rooms, for `fillertrace settings` and the generated pages."""

from __future__ import annotations

from collections.abc import Mapping

from api.settings import ApiSettings
from ehr.settings import EhrSettings
from store.environment import Setting, check_rooms, list_settings, read_settings
from store.settings import StoreSettings
from workers.settings import WorkerSettings

ROOMS: Mapping[str, type] = {
    "api": ApiSettings,
    "store": StoreSettings,
    "workers": WorkerSettings,
    "ehr": EhrSettings,
}


def all_settings(environment: Mapping[str, str]) -> dict[str, tuple[Setting, ...]]:
    """Room by room, every setting with the value it has in this environment. Raises SettingsError."""
    check_rooms(environment)
    return {
        room: list_settings(read_settings(settings, environment, room=room), room=room)
        for room, settings in ROOMS.items()
    }
