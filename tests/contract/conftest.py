"""Each test here runs against our media server and, where it is installed, against a real livekit-server too."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from livekit import api

from support.media_servers import RunningServer, ServerProcess, embedded, find_livekit_server, livekit

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only(name, why): a behaviour that truly differs between the servers")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" not in metafunc.fixturenames:
        return
    names = ["embedded", "livekit"] if find_livekit_server() else ["embedded"]
    only = metafunc.definition.get_closest_marker("only")
    if only is not None:
        names = [name for name in names if name == only.args[0]]
    metafunc.parametrize("server", names, indirect=True)


@pytest.fixture(scope="session")
def livekit_server() -> Iterator[ServerProcess]:
    """One real livekit-server for all tests: each has a room of its own."""
    with livekit() as process:
        yield process


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RunningServer]:
    """A media server. Ours is new for each test."""
    if request.param == "livekit":
        process: ServerProcess = request.getfixturevalue("livekit_server")
        await process.wait_until_alive()
        yield RunningServer("livekit", process.ports.http)
        return
    async with embedded() as running:
        yield running


@pytest.fixture
def room() -> str:
    """A room name that no other test uses."""
    return f"room-{next(_numbers)}"


@pytest.fixture
async def admin(server: RunningServer) -> AsyncIterator[api.LiveKitAPI]:
    """The server API."""
    client = api.LiveKitAPI(server.http_url, server.key, server.secret)
    yield client
    await client.aclose()
