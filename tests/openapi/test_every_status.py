"""Every status that the OpenAPI document names is answered by the service, and the service answers no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import routes
from api.openapi.operations import OPERATIONS
from ehr.keys import new_key, write_keys
from ehr.settings import EhrSettings
from tests.openapi import conversations
from tests.openapi.asking import Asker
from tests.openapi.record import Record
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings
from tests.unit.api.service import Door, running_door


@pytest.fixture(scope="module")
def askers(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[tuple[Asker, ...]]:
    """Who has asked everything: of a usual door, of one with keys that forgets at once, of one without a database; and
    of three that want a token: any number of times, once only, and while nobody can say what it is worth."""
    folders = [tmp_path_factory.mktemp(name) for name in ("usual", "forgets", "gone", "shut", "busy", "alone")]
    keys = EhrSettings(key_set=folders[1] / "keys.json")
    with (
        running_door(folders[0], redis_server.url, max_bytes=conversations.MOST_BYTES, polls_per_second=1) as usual,
        running_door(folders[1], redis_server.url, result_seconds=1, ehr=keys) as forgetful,
        running_door(folders[2], redis_server.url) as broken,
        TokenServer() as server,
        running_door(folders[3], redis_server.url, **smart_settings(server, requests_per_minute=0)) as shut,
        running_door(folders[4], redis_server.url, **smart_settings(server, requests_per_minute=1)) as busy,
        running_door(folders[5], redis_server.url, **smart_settings(server)) as alone,
    ):
        records = [Record(door) for door in (usual, forgetful, broken)]
        for talk in (
            conversations.what_all_refuse_alike,
            conversations.what_is_said_of_the_service,
            conversations.what_is_published,
            conversations.what_is_read,
            conversations.what_is_written,
            conversations.what_is_sent_together,
            conversations.what_runs_and_ends,
            conversations.what_a_patient_s_job_comes_to,
        ):
            talk(records[0])
        conversations.what_is_no_longer_kept(records[1])
        write_keys(folders[1] / "keys.json", [new_key("ES384")])
        conversations.what_is_published(records[1])
        _take_away(folders[2], broken)
        conversations.what_is_said_without_a_database(records[2])
        guarded = [Asker(door) for door in (shut, busy, alone)]
        conversations.what_is_said_without_a_token(guarded[0])
        guarded[0].ask("read_smart_configuration")
        conversations.what_is_said_to_who_asks_too_much(guarded[1])
        conversations.what_is_said_of_the_issuer(guarded[2], server)
        yield (*(record.asker for record in records), *guarded)


def _take_away(folder: Path, door: Door) -> None:
    door.database.engine.dispose()
    folder.rename(folder.with_name("elsewhere"))


def test_the_document_speaks_of_every_route() -> None:
    assert {route.endpoint.__name__ for route in routes() if route.include_in_schema} == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_documented_status_is_answered_and_no_other(askers: tuple[Asker, ...], operation: str) -> None:
    documented = {int(status) for status in askers[0].said(operation)["responses"]}
    assert set.union(*(asker.seen[operation] for asker in askers)) == documented


def test_every_answer_is_as_the_document_says(askers: tuple[Asker, ...]) -> None:
    untrue = sorted({one for asker in askers for one in asker.untrue})
    assert not untrue, "\n".join(untrue)
