"""Servers for the tests: one on SQLite, one on PostgreSQL, shared by tests that make their own rooms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.postgres import Postgres, running_postgres
from support.rest import RestServer, TestRoom, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    """A server with default settings, on each database."""
    settings = {}
    if request.param == "postgres":
        settings["TERTULIA_DATABASE_URL"] = request.getfixturevalue("postgres").new_database()
    with running_server(tmp_path_factory.mktemp(request.param), **settings) as running:
        yield running
        assert "Traceback" not in running.log(), running.log()


@pytest.fixture
def room(server: RestServer) -> TestRoom:
    return server.create_room(roomNamePrefix="test")
