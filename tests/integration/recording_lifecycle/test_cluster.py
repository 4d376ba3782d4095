"""A server that records nothing itself, and a worker on its own: one database, one store, two data directories."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.media_server_process import KEY, SECRET
from support.product import COMMAND
from support.recording_server import StartServer, until_found
from support.wall_clock import WallClock

AHEAD_S = 3600


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres").new_database())


@asynccontextmanager
async def recorder(folder: Path, environment: Mapping[str, str], **settings: str) -> AsyncIterator[Path]:
    """Run `tertulia recorder`; gives its log."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TERTULIA_")} | dict(environment)
    environment |= {f"TERTULIA_{name}": value for name, value in settings.items()}
    folder.mkdir()
    log = folder / "log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            COMMAND, "recorder", env=environment, cwd=folder, stdout=output, stderr=output
        )
    try:
        await until_found("the worker", lambda: "waiting for recordings" in log.read_text())
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            assert await process.wait() == 0


async def test_a_worker_of_its_own(start_server: StartServer, database_url: str, tmp_path: Path) -> None:
    """Its machine's clock is an hour ahead, which nothing depends on: neither the claim nor the recorder's token."""
    shared = {"DATABASE_URL": database_url, "RECORDINGS_URL": str(tmp_path / "store")}
    server = await start_server(RECORDING_CAPACITY="0", **shared)
    room = await server.create_room()
    await server.join(room)
    refused = await server.request("POST", "/recordings", {"roomName": room})
    assert (refused.status, refused.body["code"]) == (503, "recorders_busy")

    clock = WallClock.make(tmp_path)
    clock.move(AHEAD_S)
    async with recorder(
        tmp_path / "worker",
        clock.environment,
        DATA_DIR=str(tmp_path / "worker" / "data"),
        MEDIA_INTERNAL_URL=server.product.own_url,
        MEDIA_API_KEY=KEY,
        MEDIA_API_SECRET=SECRET,
        RECORDING_MIN_FREE_BYTES="1000000",
        **shared,
    ) as log:
        recording = await server.start_recording(room)
        await server.recorded(recording, 2)
        await server.stop_recording(recording)
        shown = await server.ended(recording)
        assert shown["status"] == "STOPPED", log.read_text()
        assert not server.folder(recording).exists()
        assert sorted(path.name for path in (tmp_path / "store" / recording).iterdir()) == sorted(
            [shown["filename"], "state.json"]
        )
        film = await server.film(recording)
        assert film.duration_s > 1.5
        assert (await server.request("DELETE", f"/recordings/{recording}")).status == 204
        assert not (tmp_path / "store" / recording).exists()
