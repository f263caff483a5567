"""The real servers, each started once per run, and what is said where one cannot be had."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.servers import ServerUnavailable, chromium
from tests.servers.hapi import HapiServer, HapiValidator
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer

ARTEFACTS = Path(__file__).parents[1] / "docs" / "fhir"
MISSING = pytest.StashKey[dict[str, set[str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = {}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """A server that cannot be had fails the run in CI; elsewhere its tests are left out, and named at the end."""
    try:
        return (yield)
    except ServerUnavailable as missing:
        if os.environ.get("CI") == "true":
            raise
        request.config.stash[MISSING].setdefault(str(missing), set()).add(request.node.nodeid.split("::")[0])
        pytest.skip(f"NOT TESTED: {missing}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason, files in sorted(config.stash[MISSING].items()):
        terminalreporter.section("NOT TESTED ON THIS MACHINE", sep="!", red=True, bold=True)
        terminalreporter.line(reason)
        for file in sorted(files):
            terminalreporter.line(f"  {file}")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    with PostgresqlServer() as server:
        yield server


@pytest.fixture(scope="session")
def hapi_server() -> Iterator[HapiServer]:
    with HapiServer() as server:
        yield server


@pytest.fixture(scope="session", name="chromium")
def chromium_program() -> str:
    return chromium.find_program()


@pytest.fixture(scope="session")
def print_font() -> str:
    return chromium.find_font()


@pytest.fixture(scope="session")
def hapi_validator() -> Iterator[HapiValidator]:
    with HapiValidator(ARTEFACTS) as validator:
        yield validator
