"""A whole installation for the tests of recordings: server, embedded media server, real recorders, real people."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import pytest

from support.disk import may_mount
from support.film import Film
from support.media_server_process import KEY, SECRET, MediaServerProcess
from support.product import API_KEY, Product
from support.publisher import COLOURS, Look, Publisher, tone
from support.s3 import find_versitygw
from tertulia_recorder.job import STATE_FILE, RecorderState

T = TypeVar("T")
# .ci/run has an S3 server and may mount
collect_ignore = ([] if find_versitygw() else ["test_bucket.py"]) + ([] if may_mount() else ["test_full_disk.py"])
DEADLINE_S: Final = 45
_THEIRS: Final = ("AWS_", "LD_PRELOAD", "WALL_CLOCK")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Place:
    """A server that can be killed and started again, and the people in its meetings."""

    product: Product
    data_dir: Path
    people: list[Publisher] = field(default_factory=list)
    media_port: int | None = None
    """Where people find the meetings; None: at the server's own port."""

    # ── people ──

    async def room(self, **body: Any) -> str:
        return (await self.product.create_room("rec", **body)).name

    async def join(self, room: str, name: str = "Ann", colour: str = "red") -> Publisher:
        media = MediaServerProcess(port=self.media_port or self.product.port)
        person = Publisher(media, room, name, look=Look(COLOURS[colour]), sound=tone(440))
        await person.join()
        self.people.append(person)
        return person

    # ── the API ──

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        async with (
            aiohttp.ClientSession(headers={"X-API-KEY": API_KEY} | headers) as http,
            http.request(
                method, f"{self.product.own_url}/meet/api/v1{path}", json=body, allow_redirects=False, ssl=False
            ) as answer,
        ):
            is_json = answer.content_type == "application/json"
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, await (answer.json() if is_json else answer.read()), told)

    async def start(self, room: str) -> str:
        """Start a recording that is expected to start; returns its id."""
        answer = await self.ask("POST", "/recordings", {"roomName": room})
        assert answer.status == 200, (answer, self.log())
        assert answer.body["status"] == "RECORDING", answer
        return str(answer.body["id"])

    async def stop(self, recording: str) -> None:
        answer = await self.ask("PUT", f"/recordings/{recording}")
        assert answer.status == 204, answer

    async def shown(self, recording: str) -> dict[str, Any]:
        answer = await self.ask("GET", f"/recordings/{recording}")
        assert answer.status == 200, answer
        return dict(answer.body)

    async def until(
        self, recording: str, condition: Callable[[dict[str, Any]], bool], *, within_s: float = DEADLINE_S
    ) -> dict[str, Any]:
        """Wait until the API shows a recording in a certain way."""
        deadline = time.monotonic() + within_s
        while not condition(shown := await self.shown(recording)):
            assert time.monotonic() < deadline, (shown, self.log())
            await asyncio.sleep(0.05)
        return shown

    async def ended(self, recording: str, *, within_s: float = DEADLINE_S) -> dict[str, Any]:
        return await self.until(recording, lambda shown: shown["status"] in {"STOPPED", "FAILED"}, within_s=within_s)

    async def recorded(self, recording: str, seconds: float) -> dict[str, Any]:
        return await self.until(recording, lambda shown: shown.get("duration", 0) >= seconds)

    # ── behind the API ──

    def folder(self, recording: str) -> Path:
        return self.data_dir / "data" / "recordings" / recording

    def recorder_says(self, recording: str) -> RecorderState | None:
        try:
            return RecorderState.from_json((self.folder(recording) / STATE_FILE).read_text())
        except (OSError, ValueError):
            return None

    async def recorder_pid(self, recording: str) -> int:
        return (await until(lambda: self.recorder_says(recording), "the recorder's state")).pid

    async def kill_recorder(self, recording: str) -> None:
        os.kill(await self.recorder_pid(recording), signal.SIGKILL)

    async def film(self, recording: str) -> Film:
        """Fetch the file as a client does, and look at it."""
        answer = await self.ask("GET", f"/recordings/{recording}/stream")
        assert answer.status == 200, answer
        path = self.data_dir / f"{recording}.mp4"
        path.write_bytes(answer.body)
        return Film(path)

    def log(self) -> str:
        lines = self.product.log_path.read_text().splitlines()
        return "\n".join(line for line in lines if '"event":"request"' not in line)[-6000:]


async def until(look: Callable[[], T | None], what: str, *, within_s: float = DEADLINE_S) -> T:
    """Wait until something is there."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        await asyncio.sleep(0.03)
    return found


MakePlace = Callable[..., Awaitable[Place]]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[MakePlace]:
    """Start a server: ``await place(RECORDING_CAPACITY="3")``."""
    async with AsyncExitStack() as stack:

        async def make(**settings: str) -> Place:
            named = {name if name.startswith(_THEIRS) else f"TERTULIA_{name}": text for name, text in settings.items()}
            keys = {"TERTULIA_MEDIA_API_KEY": KEY, "TERTULIA_MEDIA_API_SECRET": SECRET}
            made = Place(
                Product(tmp_path, settings=keys | {"TERTULIA_RECORDING_MIN_FREE_BYTES": "1000000"} | named), tmp_path
            )
            stack.push_async_callback(_end, made)
            await made.product.start()
            return made

        yield make


async def _end(place: Place) -> None:
    for person in place.people:
        with suppress(Exception):
            async with asyncio.timeout(5):
                await person.leave()
    with suppress(AssertionError):
        await place.product.stop(signal.SIGTERM)
    recordings = place.data_dir / "data" / "recordings"
    for folder in recordings.iterdir() if recordings.is_dir() else ():
        state = place.recorder_says(folder.name)
        if state is not None and Path(f"/proc/{state.pid}/cmdline").exists():
            command = Path(f"/proc/{state.pid}/cmdline").read_bytes()
            if b"tertulia_recorder" in command:
                os.kill(state.pid, signal.SIGKILL)
    assert "failed by a defect" not in place.log(), place.log()
