"""A participant that sends data as fast as its SDK can, in a process of its own: what that costs it costs no test.

    python -m support.data_flood '{"ws_url": …, "token": …, "size": 60000, "reliable": true, "seconds": 5}'

Prints a line when it begins, and how it went as JSON when it is removed from the room or the time is over.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from livekit import rtc
from livekit.rtc.participant import PublishDataError

READY_S: Final = 20
AT_ONCE: Final = 64


@dataclass(frozen=True, kw_only=True)
class Flood:
    """Who sends what, and for how long (s)."""

    ws_url: str
    token: str
    size: int
    reliable: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many messages the SDK took, and after how long (s) the server removed the sender (None: it did not)."""

    sent: int
    failed: int
    removed_after_s: float | None


@dataclass
class FloodProcess:
    """The process, seen from a test."""

    process: asyncio.subprocess.Process

    async def outcome(self, within_s: float) -> Outcome:
        """Wait for the end."""
        assert self.process.stdout
        async with asyncio.timeout(within_s):
            line = await self.process.stdout.readline()
        assert line, "the flood's process has ended"
        return Outcome(**json.loads(line))


@asynccontextmanager
async def flooding(flood: Flood) -> AsyncIterator[FloodProcess]:
    """Send for as long as the block lasts, or the flood's time."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.data_flood", json.dumps(asdict(flood))),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[1],
    )
    try:
        assert process.stdout
        async with asyncio.timeout(READY_S):
            assert (await process.stdout.readline()).strip() == b"ready"
        yield FloodProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _send(flood: Flood) -> None:
    os.nice(10)  # on a busy machine its own work must not slow down those whom it attacks
    room, removed = rtc.Room(), asyncio.Event()
    room.on("disconnected", lambda *_: removed.set())
    await room.connect(flood.ws_url, flood.token)
    print("ready", flush=True)
    began_s, counts = time.monotonic(), {True: 0, False: 0}

    async def go_on() -> None:
        while not removed.is_set():
            try:
                await room.local_participant.publish_data(bytes(flood.size), reliable=flood.reliable)
                counts[True] += 1
            except PublishDataError:
                counts[False] += 1

    tasks = [asyncio.ensure_future(go_on()) for _ in range(AT_ONCE)]
    with suppress(TimeoutError):
        async with asyncio.timeout(flood.seconds):
            await removed.wait()
    removed_after_s = time.monotonic() - began_s if removed.is_set() else None
    outcome = Outcome(sent=counts[True], failed=counts[False], removed_after_s=removed_after_s)
    print(json.dumps(asdict(outcome)), flush=True)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_send(Flood(**json.loads(sys.argv[1]))))
