"""Ordinary users during an attack: two participants who talk, one signalling client that pings, one application.

They run in a process of their own, so that what the test itself does costs them nothing: `Bystanders` starts it, and
`measure` tells what they noticed meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
from livekit import rtc
from livekit.protocol.rtc import Ping, SignalRequest, SignalResponse

from support.livekit_clients import SAMPLE_RATE, LiveKitClient, joined
from support.signal_connection import JOIN, wrapped

REQUEST_EVERY_S: Final = 0.02
PING_EVERY_S: Final = 0.1
REJOIN_EVERY_S: Final = 30.0
"""A signalling client without media is removed after a minute: it joins again in time."""
QUIET: Final = 300
"""Mean absolute sample below which a tone is not heard."""
WINDOW_S: Final = 0.02
READY_S: Final = 30


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Where the bystanders are, and as whom they come. `tokens`: two participants and the one that pings."""

    http_url: str
    ws_url: str
    room: str
    api_key: str
    tokens: tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the bystanders noticed since the last report."""

    requests: int
    failures: int
    request_p50_ms: float
    request_p99_ms: float
    request_max_ms: float
    ping_p99_ms: float
    ping_max_ms: float
    longest_silence_ms: float
    pictures: int


@dataclass
class _Figures:
    requests_ms: list[float] = field(default_factory=list)
    failures: int = 0
    pings_ms: list[float] = field(default_factory=list)
    silence_ms: float = 0.0
    pictures: int = 0

    def report(self) -> Report:
        return Report(
            requests=len(self.requests_ms),
            failures=self.failures,
            request_p50_ms=_percentile(self.requests_ms, 50),
            request_p99_ms=_percentile(self.requests_ms, 99),
            request_max_ms=_percentile(self.requests_ms, 100),
            ping_p99_ms=_percentile(self.pings_ms, 99),
            ping_max_ms=_percentile(self.pings_ms, 100),
            longest_silence_ms=round(self.silence_ms, 1),
            pictures=self.pictures,
        )


def _percentile(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1) if values else 0.0


class Bystanders:
    """The process of the bystanders, seen from a test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def measure(self, seconds: float) -> Report:
        """Tell what they notice during these seconds."""
        await self._ask("start")
        await asyncio.sleep(seconds)
        return await self.report()

    async def start(self) -> None:
        """Forget what they noticed so far."""
        await self._ask("start")

    async def report(self) -> Report:
        """Tell what they noticed since `start`."""
        return Report(**await self._ask("report"))

    async def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()
        async with asyncio.timeout(READY_S):
            line = await self._process.stdout.readline()
        assert line, "the bystanders' process has ended"
        return dict(json.loads(line))


@asynccontextmanager
async def bystanders(setup: Setup, log: Path) -> AsyncIterator[Bystanders]:
    """Run the bystanders as long as the block lasts; they hear and see each other when it begins."""
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "support.bystanders", json.dumps(asdict(setup))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=Path(__file__).parents[1],
        )
    try:
        running = Bystanders(process)
        assert process.stdout
        async with asyncio.timeout(READY_S):
            ready = await process.stdout.readline()
        assert ready.strip() == b"ready", log.read_text()[-2000:]
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# ── in their process ──


@dataclass(frozen=True)
class _Server:
    """What `support.livekit_clients` needs to know of a server."""

    ws_url: str


async def _request(setup: Setup, figures: _Figures, http: aiohttp.ClientSession) -> None:
    """Ask for the room every 20 ms, whether or not the last answer has come."""
    url, headers = f"{setup.http_url}/meet/api/v1/rooms/{setup.room}", {"X-API-KEY": setup.api_key}

    async def ask() -> None:
        began_s = time.perf_counter()
        try:
            async with http.get(url, headers=headers) as answer:
                await answer.read()
                figures.failures += answer.status != 200
        except (aiohttp.ClientError, TimeoutError):
            figures.failures += 1
        figures.requests_ms.append((time.perf_counter() - began_s) * 1000)

    async with asyncio.TaskGroup() as tasks:
        due_s = time.perf_counter()
        while True:
            tasks.create_task(ask())
            due_s += REQUEST_EVERY_S
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))


async def _ping(setup: Setup, figures: _Figures, http: aiohttp.ClientSession) -> None:
    """Ping over a signalling connection, as LiveKit's clients do, but more often."""
    query = {"access_token": setup.tokens[2], "join_request": wrapped(JOIN)}
    while True:
        rejoin_s = time.perf_counter() + REJOIN_EVERY_S
        async with http.ws_connect(f"{setup.ws_url}/rtc/v1", params=query, max_msg_size=0) as socket:
            while time.perf_counter() < rejoin_s:
                began_s = time.perf_counter()
                await socket.send_bytes(SignalRequest(ping_req=Ping(timestamp=1)).SerializeToString())
                while SignalResponse.FromString(await socket.receive_bytes()).WhichOneof("message") != "pong_resp":
                    pass
                figures.pings_ms.append((time.perf_counter() - began_s) * 1000)
                await asyncio.sleep(PING_EVERY_S)


async def _listen(person: LiveKitClient, identity: str, figures: _Figures, heard: asyncio.Event) -> None:
    """Measure the longest time in which another participant's tone is not heard."""
    track = await person.receives(identity, rtc.TrackSource.SOURCE_MICROPHONE)
    silent_s = 0.0
    async for event in rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1):
        samples = np.frombuffer(event.frame.data, np.int16)
        if np.abs(samples.astype(np.int32)).mean() > QUIET:
            silent_s = 0.0
            heard.set()
        elif heard.is_set():
            silent_s += samples.size / SAMPLE_RATE
            figures.silence_ms = max(figures.silence_ms, silent_s * 1000)


async def _look(person: LiveKitClient, identity: str, figures: _Figures, seen: asyncio.Event) -> None:
    track = await person.receives(identity, rtc.TrackSource.SOURCE_CAMERA)
    async for _ in rtc.VideoStream(track):
        figures.pictures += 1
        seen.set()


async def _commands(figures: _Figures) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await reader.readline():
        told = asdict(figures.report()) if line.strip() == b"report" else {}
        if line.strip() == b"start":
            figures.__init__()  # type: ignore[misc]
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


async def _run(setup: Setup) -> None:
    figures, heard, seen = _Figures(), asyncio.Event(), asyncio.Event()
    server: Any = _Server(setup.ws_url)
    async with (
        joined(server, setup.tokens[0]) as ann,
        joined(server, setup.tokens[1]) as bob,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for person, hertz in ((ann, 440.0), (bob, 660.0)):
            await person.sounds(hertz)
            await person.shows()
        listening = tasks.create_task(_listen(bob, ann.me.identity, figures, heard), name="listen")
        looking = tasks.create_task(_look(ann, bob.me.identity, figures, seen), name="look")
        async with asyncio.timeout(READY_S):
            await asyncio.gather(heard.wait(), seen.wait())
        others = [
            tasks.create_task(_request(setup, figures, http), name="requests"),
            tasks.create_task(_ping(setup, figures, http), name="pings"),
        ]
        await _commands(figures)
        for task in (listening, looking, *others):
            task.cancel()


if __name__ == "__main__":
    asyncio.run(_run(Setup(**json.loads(sys.argv[1]))))
