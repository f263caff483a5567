"""Tables from nothing, on both engines; a newer database is refused; concurrent starts."""

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from store import schema
from store.database import open_database
from store.errors import NewerDatabase
from store.tables import metadata


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
