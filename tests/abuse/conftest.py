"""A server under attack, and the ordinary users whom the attack must not disturb."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pytest

from support.bystanders import Bystanders, Report, Setup, bystanders
from support.rest import API_KEY, RestServer, TestRoom, running_server

REQUEST_P99_MS: Final = 100
PING_MS: Final = 250
SILENCE_MS: Final = 200
MEMORY_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Victim:
    """A server with ordinary users on it, and how they fare without an attack."""

    server: RestServer
    room: TestRoom
    bystanders: Bystanders
    quiet: Report
    memory_bytes: int

    def assert_unharmed(
        self, during: Report, *, memory_bytes: int = MEMORY_BYTES, dropped_after_s: float | None = None
    ) -> None:
        """Check the bounds of an attack: absolute ones, or twice what the same users see without it.

        `dropped_after_s`: how long the offender was served, for the table of figures.
        """
        self._note(during, dropped_after_s)
        assert during.failures == 0, during
        assert during.request_p99_ms < max(REQUEST_P99_MS, 2 * self.quiet.request_p99_ms), (during, self.quiet)
        assert during.ping_p99_ms < max(PING_MS, 2 * self.quiet.ping_p99_ms), (during, self.quiet)
        assert during.longest_silence_ms < max(SILENCE_MS, 2 * self.quiet.longest_silence_ms), (during, self.quiet)
        grown = resident_bytes(self.server) - self.memory_bytes
        assert grown < memory_bytes, f"{grown / 1e6:.0f} MB more"

    def _note(self, during: Report, dropped_after_s: float | None) -> None:
        """Write the figures of this attack where `ABUSE_REPORT` says, a line of JSON for each (`make bench-abuse`)."""
        path = os.environ.get("ABUSE_REPORT")
        if path:
            figures = {
                "attack": os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0],
                "during": asdict(during),
                "quiet": asdict(self.quiet),
                "more_memory_bytes": resident_bytes(self.server) - self.memory_bytes,
                "dropped_after_s": dropped_after_s,
            }
            with Path(path).open("a") as report:
                report.write(json.dumps(figures) + "\n")


def resident_bytes(server: RestServer) -> int:
    """Return the memory that the server's process holds."""
    assert server.process
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the server has ended")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    with running_server(tmp_path_factory.mktemp("abuse")) as running:
        yield running


@pytest.fixture
async def victim(server: RestServer, tmp_path: Path) -> AsyncIterator[Victim]:
    """A server, two participants who hear and see each other on it, and an application that asks it."""
    async with watched(server, tmp_path) as victim:
        yield victim


def cpu_s(server: RestServer) -> float:
    """Return the CPU time that the server's process has used."""
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def watched(server: RestServer, folder: Path, *, port: int | None = None) -> AsyncIterator[Victim]:
    """The ordinary users of a server; they come by another of its ports where one is given, without TLS."""
    room = server.create_room(roomNamePrefix="ordinary")
    names = (("ann", "publisher"), ("bob", "publisher"), ("pinger", "viewer"))
    tokens = tuple(server.token(room, name, role) for name, role in names)
    http_url = server.url if port is None else f"http://127.0.0.1:{port}"
    ws_url = http_url.replace("http", "ws", 1)
    setup = Setup(http_url=http_url, ws_url=ws_url, room=room.name, api_key=API_KEY, tokens=tokens)
    async with bystanders(setup, folder / "bystanders.log") as running:
        await running.measure(1)
        quiet = await running.measure(3)
        yield Victim(server, room, running, quiet, resident_bytes(server))
