"""A whole product for the tests of recordings: server, embedded media server, real recorders, real participants."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp

from support.film import Film
from support.media_server_process import KEY, SECRET, MediaServerProcess
from support.product import API_KEY, Product
from support.publisher import COLOURS, Look, Publisher, tone
from tertulia_recorder.job import STATE_FILE, RecorderState

T = TypeVar("T")
DEADLINE_S: Final = 45
_NOT_SETTINGS: Final = ("AWS_", "LD_PRELOAD")
SETTINGS: Final = {
    "TERTULIA_MEDIA_API_KEY": KEY,
    "TERTULIA_MEDIA_API_SECRET": SECRET,
    "TERTULIA_RECORDING_MIN_FREE_BYTES": "1000000",
}
_LEAVE_TIMEOUT_S: Final = 5


@dataclass(frozen=True)
class Response:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class RecordingServer:
    """A server that can be killed and started again, with participants in its meetings."""

    product: Product
    data_dir: Path
    participants: list[Publisher] = field(default_factory=list)
    media_port: int | None = None
    """Where participants find the meetings; None: at the server's own port."""

    # ── participants ──

    async def create_room(self, **body: Any) -> str:
        return (await self.product.create_room("rec", **body)).name

    async def join(self, room: str, name: str = "Ann", colour: str = "red", **more: Any) -> Publisher:
        """Join a meeting with a camera of one colour and a tone; `more` are other fields of `Publisher`."""
        media = MediaServerProcess(port=self.media_port or self.product.port)
        appearance: dict[str, Any] = {"look": Look(COLOURS[colour]), "sound": tone(440)} | more
        participant = Publisher(media, room, name, **appearance)
        await participant.join()
        self.participants.append(participant)
        return participant

    async def leave(self, participant: Publisher) -> None:
        self.participants.remove(participant)
        async with asyncio.timeout(_LEAVE_TIMEOUT_S):
            await participant.leave()

    # ── the API ──

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        async with (
            aiohttp.ClientSession(headers={"X-API-KEY": API_KEY} | headers) as http,
            http.request(
                method, f"{self.product.own_url}/meet/api/v1{path}", json=body, allow_redirects=False, ssl=False
            ) as answer,
        ):
            is_json = answer.content_type == "application/json"
            received = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status, await (answer.json() if is_json else answer.read()), received)

    async def start_recording(self, room: str) -> str:
        """Start a recording that is expected to start; return its id."""
        response = await self.request("POST", "/recordings", {"roomName": room})
        assert response.status == 200, (response, self.log())
        assert response.body["status"] == "RECORDING", response
        return str(response.body["id"])

    async def stop_recording(self, recording: str) -> None:
        response = await self.request("PUT", f"/recordings/{recording}")
        assert response.status == 204, response

    async def recording(self, recording: str) -> dict[str, Any]:
        response = await self.request("GET", f"/recordings/{recording}")
        assert response.status == 200, response
        return dict(response.body)

    async def recording_when(
        self, recording: str, condition: Callable[[dict[str, Any]], bool], *, within_s: float = DEADLINE_S
    ) -> dict[str, Any]:
        """Wait until the API shows a recording in a certain way; return it."""
        deadline_s = time.monotonic() + within_s
        while not condition(found := await self.recording(recording)):
            assert time.monotonic() < deadline_s, (found, self.log())
            await asyncio.sleep(0.05)
        return found

    async def ended(self, recording: str, *, within_s: float = DEADLINE_S) -> dict[str, Any]:
        """Wait until a recording has ended; return it."""
        return await self.recording_when(
            recording, lambda found: found["status"] in {"STOPPED", "FAILED"}, within_s=within_s
        )

    async def recorded(self, recording: str, seconds: float) -> dict[str, Any]:
        """Wait until a recording has this duration; return it."""
        return await self.recording_when(recording, lambda found: found.get("duration", 0) >= seconds)

    async def film(self, recording: str) -> Film:
        """Fetch the file as a client does."""
        response = await self.request("GET", f"/recordings/{recording}/stream")
        assert response.status == 200, response
        path = self.data_dir / f"{recording}.mp4"
        path.write_bytes(response.body)
        return Film(path)

    # ── behind the API ──

    def folder(self, recording: str) -> Path:
        return self.data_dir / "data" / "recordings" / recording

    def recorder_state(self, recording: str) -> RecorderState | None:
        try:
            return RecorderState.from_json((self.folder(recording) / STATE_FILE).read_text())
        except (OSError, ValueError):
            return None

    async def recorder_pid(self, recording: str) -> int:
        return (await until_found("the recorder's state", lambda: self.recorder_state(recording))).pid

    async def kill_recorder(self, recording: str) -> None:
        os.kill(await self.recorder_pid(recording), signal.SIGKILL)

    async def restart(self, how: signal.Signals) -> None:
        await self.product.stop(how)
        await self.product.start()

    def log(self) -> str:
        """Return the end of the server's log, without its requests."""
        lines = self.product.log_path.read_text().splitlines()
        return "\n".join(line for line in lines if '"event":"request"' not in line)[-6000:]

    async def logged_end(self, recording: str) -> str:
        """Wait for the line in which the worker logs how a recording ended; return it."""

        def line() -> str | None:
            lines = (each for each in self.log().splitlines() if recording in each and '"recording ended"' in each)
            return next(lines, None)

        return await until_found("the recording's end in the log", line)

    async def close(self) -> None:
        """Stop everything, recorders too, and check that nothing failed by a defect."""
        for participant in list(self.participants):
            await self.leave(participant)
        await self.product.stop(signal.SIGTERM)
        recordings = self.data_dir / "data" / "recordings"
        for folder in recordings.iterdir() if recordings.is_dir() else ():
            state = self.recorder_state(folder.name)
            if state is not None and _is_recorder(state.pid):
                os.kill(state.pid, signal.SIGKILL)
        assert "failed by a defect" not in self.log(), self.log()


def _is_recorder(pid: int) -> bool:
    try:
        return b"tertulia_recorder" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


async def until_found(what: str, find: Callable[[], T | None], *, within_s: float = DEADLINE_S) -> T:
    """Look until something is there that no event tells of; return it. Raises AssertionError."""
    deadline_s = time.monotonic() + within_s
    while not (found := find()):
        assert time.monotonic() < deadline_s, f"{what}: not within {within_s} s"
        await asyncio.sleep(0.03)
    return found


StartServer = Callable[..., Awaitable[RecordingServer]]


@asynccontextmanager
async def recording_servers(folder: Path) -> AsyncIterator[StartServer]:
    """Let a test start servers: ``await start_server(RECORDING_CAPACITY="3")``. They end with the block."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> RecordingServer:
            environment = {
                name if name.startswith(_NOT_SETTINGS) else f"TERTULIA_{name}": value
                for name, value in settings.items()
            }
            server = RecordingServer(Product(folder, settings=SETTINGS | environment), folder)
            await server.product.start()
            stack.push_async_callback(server.close)
            return server

        yield start
