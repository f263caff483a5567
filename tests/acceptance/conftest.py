"""A client of a running service, on each of the two databases."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.acceptance.client import Client
from tests.servers.postgresql import PostgresqlServer
from tests.servers.service import Service


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("data")
    settings = {}
    if request.param == "postgresql":
        settings["FILLERTRACE_DATABASE_URL"] = postgresql_server.create_database(f"acceptance_{uuid4().hex}")
    arguments = ("--port", "0", "--data", str(folder / "data"), "--workers", "2")
    with Service("serve", *arguments, folder=folder, settings=settings) as service:
        connected = Client(service.base_url)
        yield connected
        connected.http.close()
