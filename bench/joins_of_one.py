"""One more joins a meeting of two people: the time until it is connected, and until it has the first picture.

The Python SDK, with one peer connection (signalling v1) and with two (v0), over our media server and livekit-server.
The other participant shows a plain picture, 15 frames a second. Both signalling versions and servers take turns.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

from livekit import rtc

from bench.many_joins import servers
from bench.servers import KEY, SECRET, Server
from support.livekit_clients import RED, joined, token
from support.media_servers import RunningServer

SIGNALLING: Final = {"v1, one peer connection": True, "v0, two peer connections": False}
ROOM: Final = "one-more"
LONGEST_S: Final = 20


@dataclass(frozen=True)
class Join:
    """Seconds from the call until the SDK is connected, and until a frame of the other participant is decoded."""

    connected_s: float
    first_frame_s: float


Joins: TypeAlias = dict[tuple[str, str], list[Join]]
"""By server and signalling."""


async def measure(joins: int) -> Joins:
    """Let one more join and leave, as often as `joins` says, over each server and signalling."""
    found: Joins = {}
    for each in servers(None):
        async with AsyncExitStack() as stack:
            running = await stack.enter_async_context(each)
            server = _as_running(running)
            host = await stack.enter_async_context(joined(server, token(server, "host", ROOM)))
            await host.shows(RED)
            for number in range(joins):
                for name, is_single in SIGNALLING.items():
                    found.setdefault((running.name, name), []).append(await _join(server, number, is_single))
    for (server_name, name), all_joins in found.items():
        print(server_name, name, *all_joins, sep="\n  ", flush=True)
    return found


def _as_running(server: Server) -> RunningServer:
    return RunningServer(server.name, int(server.url.rpartition(":")[2]), KEY, SECRET)


async def _join(server: RunningServer, number: int, is_single: bool) -> Join:
    room, shown = rtc.Room(), asyncio.Event()
    first_frame_at = 0.0
    reading: list[asyncio.Task[None]] = []

    async def read(track: rtc.Track) -> None:
        nonlocal first_frame_at
        stream = rtc.VideoStream(track)
        async for _ in stream:
            first_frame_at = time.monotonic()
            shown.set()
            break
        await stream.aclose()

    def on_track(track: rtc.Track, *_: object) -> None:
        reading.append(asyncio.ensure_future(read(track)))

    room.on("track_subscribed", on_track)
    options = rtc.RoomOptions(single_peer_connection=is_single)
    started = time.monotonic()
    async with asyncio.timeout(LONGEST_S):
        await room.connect(server.ws_url, token(server, f"guest-{number}-{is_single}", ROOM), options)
        connected = time.monotonic()
        await shown.wait()
    await asyncio.gather(*reading)
    await room.disconnect()
    return Join(connected - started, first_frame_at - started)


def section(found: Joins) -> str:
    """Return the table of the document."""
    names = list(dict.fromkeys(server for server, _ in found))
    lines = [f"| one more joins | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]

    def median_ms(joins: Sequence[Join], of: str) -> str:
        return f"{statistics.median(getattr(each, of) for each in joins) * 1000:.0f} ms"

    for signalling in SIGNALLING:
        for label, of in {"connected": "connected_s", "first frame": "first_frame_s"}.items():
            cells = [median_ms(found[server, signalling], of) for server in names]
            lines.append(f"| {label}, {signalling} | {' | '.join(cells)} |")
    return "\n".join(lines)
