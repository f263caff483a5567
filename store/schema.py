"""This file brings a database to the newest form, forwards only. The steps are in store/migrations/versions."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from store.database import Database
from store.errors import NewerDatabase

FOLDER = Path(__file__).parent / "migrations"
POSTGRESQL_LOCK = 0x46494C4C  # "FILL": an advisory lock number of our own


def upgrade(database: Database) -> None:
    """Make or renew the tables. Several processes may start at once: one does the work, the others wait for it.

    A database with a revision this program does not know raises NewerDatabase and stays untouched.
    """
    scripts = ScriptDirectory(str(FOLDER))
    head = scripts.get_current_head()
    with database.read() as connection:
        if _checked_revision(connection, scripts) == head:
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(POSTGRESQL_LOCK)))
        if _checked_revision(connection, scripts) != head:
            command.upgrade(_config(connection), "head")


def is_current(database: Database) -> bool:
    """Whether the tables are those of this release. Raises NewerDatabase as `upgrade` does."""
    scripts = ScriptDirectory(str(FOLDER))
    with database.read() as connection:
        return _checked_revision(connection, scripts) == scripts.get_current_head()


def revision(database: Database) -> str | None:
    """The revision the database is at, `None` when it is empty."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _checked_revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise NewerDatabase("the database was written by a newer Fillertrace; start that one")
    return current


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
