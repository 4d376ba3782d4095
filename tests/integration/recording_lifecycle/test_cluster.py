"""A server that records nothing itself, and a worker on its own: one database, one store, two data directories."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from integration.recording_lifecycle.conftest import MakePlace, until
from support.media_server_process import KEY, SECRET
from support.product import COMMAND


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres").new_database())


@asynccontextmanager
async def recorder(folder: Path, **settings: str) -> AsyncIterator[Path]:
    """Run `tertulia recorder`; gives its log."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TERTULIA_")}
    environment |= {f"TERTULIA_{name}": value for name, value in settings.items()}
    folder.mkdir()
    log = folder / "log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            COMMAND, "recorder", env=environment, cwd=folder, stdout=output, stderr=output
        )
    try:
        await until(lambda: "waiting for recordings" in log.read_text(), "the worker")
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            assert await process.wait() == 0


async def test_a_worker_of_its_own(place: MakePlace, database_url: str, tmp_path: Path) -> None:
    shared = {"DATABASE_URL": database_url, "RECORDINGS_URL": str(tmp_path / "store")}
    here = await place(RECORDING_CAPACITY="0", **shared)
    room = await here.room()
    await here.join(room)
    nobody = await here.ask("POST", "/recordings", {"roomName": room})
    assert (nobody.status, nobody.body["code"]) == (503, "recorders_busy")

    async with recorder(
        tmp_path / "worker",
        DATA_DIR=str(tmp_path / "worker" / "data"),
        MEDIA_INTERNAL_URL=here.product.own_url,
        MEDIA_API_KEY=KEY,
        MEDIA_API_SECRET=SECRET,
        RECORDING_MIN_FREE_BYTES="1000000",
        **shared,
    ) as log:
        recording = await here.start(room)
        await here.recorded(recording, 2)
        await here.stop(recording)
        shown = await here.ended(recording)
        assert shown["status"] == "STOPPED", log.read_text()
        assert not here.folder(recording).exists()
        assert sorted(path.name for path in (tmp_path / "store" / recording).iterdir()) == sorted(
            [shown["filename"], "state.json"]
        )
        film = await here.film(recording)
        assert film.duration_s > 1.5
        assert (await here.ask("DELETE", f"/recordings/{recording}")).status == 204
        assert not (tmp_path / "store" / recording).exists()
