"""Both databases, for what must survive on each."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.servers.postgresql import PostgresqlServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.create_database(f"faults_{uuid4().hex}")
