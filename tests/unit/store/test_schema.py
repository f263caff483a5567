"""Tables from nothing, on both engines; a newer database is refused; concurrent starts."""

import threading

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from store import schema, tables
from store.database import open_database
from store.errors import NewerDatabase
from store.search_filling import not_indexed
from store.tables import metadata
from tests.unit.store.builders import NOW

RESOURCE = {
    "type": "Condition",
    "version": 1,
    "deleted": False,
    "position": 0,
    "created_at": NOW,
    "updated_at": NOW,
}


def test_the_migrations_make_exactly_the_tables(empty_url: str) -> None:
    database = open_database(empty_url)
    assert schema.revision(database) is None
    schema.upgrade(database)
    schema.upgrade(database)
    assert schema.revision(database) == "0004"
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_newer_database_is_refused_and_left_alone(empty_url: str) -> None:
    database = open_database(empty_url)
    schema.upgrade(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase):
        schema.upgrade(database)
    assert schema.revision(database) == "9999"
    database.close()


def test_concurrent_starts_make_the_tables_once(empty_url: str) -> None:
    faults: list[Exception] = []

    def start() -> None:
        database = open_database(empty_url)
        try:
            schema.upgrade(database)
        except Exception as error:
            faults.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_what_is_labelled_is_indexed_anew_by_its_label(empty_url: str) -> None:
    """A record from before there were labels in the index: the next start fills in what the step forgets."""
    database = open_database(empty_url)
    label = b'{"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}}'
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for number, content in enumerate((label, b"{}")):
            connection.execute(sa.insert(tables.resources).values({**RESOURCE, "id": f"r{number}"}))
            version = {"resource_id": f"r{number}", "version": 1, "deleted": False, "recorded_at": NOW}
            connection.execute(
                sa.insert(tables.resource_versions).values({**version, "sha256": "", "content": content})
            )
            entry = {"id": f"r{number}", "type": "Condition", "made": False, "created_at": NOW, "updated_at": NOW}
            connection.execute(sa.insert(tables.search_entries).values(entry))
            token = {"parameter": "Condition.code", "value": "x", "system": "", "entry_id": f"r{number}"}
            connection.execute(sa.insert(tables.search_tokens).values(token))
    schema.upgrade(database)
    with database.read() as connection:
        assert connection.scalars(sa.select(tables.search_entries.c.id)).all() == ["r1"]
        assert connection.scalars(sa.select(tables.search_tokens.c.entry_id)).all() == ["r1"]
    assert [one.id for one in not_indexed(database)] == ["r0"]
    database.close()
