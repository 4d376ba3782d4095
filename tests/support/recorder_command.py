"""`tertulia recorder`, a recording worker in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.media_server_process import KEY, SECRET
from support.product import COMMAND
from support.recording_server import RecordingServer, until_found
from tertulia_recorder.job import STATE_FILE, RecorderState


@dataclass
class RecorderCommand:
    """A running worker. It may be started again on the same folder."""

    folder: Path
    settings: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    async def start(self) -> None:
        """Start it, and wait until it works."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TERTULIA_")}
        environment |= {f"TERTULIA_{name}": value for name, value in self.settings.items()}
        self.folder.mkdir(exist_ok=True)
        with self.log.open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                COMMAND, "recorder", env=environment, cwd=self.folder, stdout=output, stderr=output
            )
        await until_found("the worker", lambda: "waiting for recordings" in self.log.read_text())

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(15):
            return await self.process.wait()

    def state(self, recording: str) -> RecorderState | None:
        """Return what the recorder of a recording wrote last."""
        path = self.folder / "data" / "recordings" / recording / STATE_FILE
        return RecorderState.from_json(path.read_text()) if path.exists() else None


@asynccontextmanager
async def recorder_command(folder: Path, server: RecordingServer, **shared: str) -> AsyncIterator[RecorderCommand]:
    """Run a worker for a server's meetings, with the settings that both share."""
    worker = RecorderCommand(
        folder,
        {
            "DATA_DIR": str(folder / "data"),
            "MEDIA_INTERNAL_URL": server.product.own_url,
            "MEDIA_API_KEY": KEY,
            "MEDIA_API_SECRET": SECRET,
            "RECORDING_MIN_FREE_BYTES": "1000000",
            **shared,
        },
    )
    await worker.start()
    try:
        yield worker
    finally:
        worker.send(signal.SIGTERM)
        assert await worker.ended() == 0
