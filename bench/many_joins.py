"""A thousand join one room: how soon all receive the sound, how many messages that takes, what it costs the server.

    python -m bench.many_joins [--joins 1000] [--rooms 1] [--publishers 1]
        [--server tertulia|livekit] [--profile FILE]

One participant sends sound of about 50 kb/s; the others, with media of their own (`sfu/crates/sfu-load`), join and
subscribe. With more rooms, they are spread over them, and only the first room has the sound. Clients, load and server
share this machine. Messages are counted by their kind and not decoded, so that the clients cost little. `--profile`
writes where our server's Python spends its time (cProfile).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from livekit.protocol import models, rtc

from bench.load import Load, join_request, load_process
from bench.servers import ROOT, Server, cpu_seconds, livekit_binary, livekit_server, our_server, token

# each process waits for one peer at a time, up to 50 ms
LOAD_PROCESSES: Final = 16
JOINING_AT_ONCE: Final = 64
# an audience has many addresses; this server bounds how many may join from one at once
ADDRESSES: Final = 40
# synthetic participants that hear sound only need not look sooner
READ_EVERY_MS: Final = 100
ROOM: Final = "bench"
SETTLED_AFTER_S: Final = 3.0
COUNTS: Final = frozenset({"received", "sent", "connected"})
LONGEST_S: Final = 60

FIELDS: Final = {each.number: each.name for each in rtc.SignalResponse.DESCRIPTOR.fields}
ANSWERED: Final = frozenset({"answer", "media_sections_requirement", "leave"})


@dataclass
class Figures:
    """What was measured over one server."""

    server: str
    joins: int
    joined_s: float = 0.0
    connected_s: float | None = None
    dropped: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    python_s: float = 0.0
    load_s: float = 0.0
    rss_bytes: int = 0

    @property
    def updates(self) -> int:
        """The number of messages that tell about participants."""
        return self.messages["update"]


def kind_of(frame: bytes) -> str:
    """Return the kind of a SignalResponse by its first tag: it has one field only."""
    number = shift = 0
    for byte in frame[:3]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return FIELDS.get(number >> 3, "unknown")


class Client:
    """One participant: `sends` sound, or receives it."""

    def __init__(self, name: str, load: Load, figures: Figures, *, room: str, sends: bool = False) -> None:
        self.name = name
        self.room = room
        self.joined = asyncio.Event()
        self._load = load
        self._figures = figures
        self._sends = sends
        self._query: dict[str, str] = {}
        self._offer_id = 0
        self._answered = False
        self._wanted = 0

    async def run(self, http: aiohttp.ClientSession, url: str) -> None:
        """Join and stay. A client that fails or is told to leave counts as dropped."""
        try:
            await self._run(http, url)
        except (RuntimeError, aiohttp.ClientError) as error:
            print(f"{self.name}: {error!r}", file=sys.stderr)
        self._figures.dropped += 1
        self.joined.set()

    async def prepare(self) -> None:
        """Make the token and the offer, as a page does before its button is pressed."""
        offer = await self._offer(1)
        tracks = []
        if self._sends:
            kind, source = models.TrackType.AUDIO, models.TrackSource.MICROPHONE
            tracks = [rtc.AddTrackRequest(cid="load-audio", type=kind, source=source)]
        self._query = {
            "access_token": token(self.name, publishes=self._sends, room=self.room),
            "join_request": join_request(offer, tracks),
        }

    async def _run(self, http: aiohttp.ClientSession, url: str) -> None:
        async with http.ws_connect(f"{url}/rtc/v1", params=self._query, max_msg_size=0) as socket:
            async for message in socket:
                kind = kind_of(message.data)
                self._figures.messages[kind] += 1
                self._figures.sizes[kind] += len(message.data)
                self.joined.set()
                if kind in ANSWERED:
                    await self._serve(socket, rtc.SignalResponse.FromString(message.data))

    async def _offer(self, audio: int) -> rtc.SessionDescription:
        self._offer_id += 1
        sent: dict[str, object] = (
            {"publish": True} if self._sends else {"read_every_ms": READ_EVERY_MS, "tells_arrivals": False}
        )
        answer = await self._load.ask(do="offer", peer=self.name, audio=audio, video=0, **sent)
        return rtc.SessionDescription(type="offer", sdp=str(answer["offer"]), id=self._offer_id)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, response: rtc.SignalResponse) -> None:
        kind = response.WhichOneof("message")
        if kind == "answer":
            await self._load.ask(do="answer", peer=self.name, sdp=response.answer.sdp)
            self._answered = True
        elif kind == "media_sections_requirement":
            self._wanted = response.media_sections_requirement.num_audios or 1
        else:
            raise RuntimeError(f"told to leave: {response.leave}")
        if self._answered and self._wanted:
            self._answered, wanted, self._wanted = False, self._wanted, 0
            offer = await self._offer(wanted)
            await socket.send_bytes(rtc.SignalRequest(offer=offer).SerializeToString())


def python_seconds(pid: int) -> float:
    """Return the CPU time of a process's main thread: of our server the one that runs Python."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """Return the memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def totals(loads: Sequence[Load]) -> Counter[str]:
    """Return the counters of all load processes together."""
    counts: Counter[str] = Counter()
    for stats in await asyncio.gather(*(load.ask(do="stats") for load in loads)):
        counts.update({name: int(str(value)) for name, value in stats.items() if name in COUNTS})
    return counts


@asynccontextmanager
async def sessions() -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Provide HTTP clients that come from different addresses."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(f"127.0.0.{n + 2}", 0), limit=0))
            )
            for n in range(ADDRESSES)
        ]


async def measure(server: Server, joins: int, *, rooms: int = 1, publishers: int = 1) -> Figures:
    """Let everyone join, and return the figures."""
    figures = Figures(server.name, joins)
    async with AsyncExitStack() as stack, sessions() as https, asyncio.TaskGroup() as group:
        loads = [await stack.enter_async_context(load_process()) for _ in range(LOAD_PROCESSES)]
        speakers = [
            Client(f"publisher-{n}", loads[n % LOAD_PROCESSES], figures, room=f"{ROOM}-0", sends=True)
            for n in range(publishers)
        ]
        clients = [
            Client(f"viewer-{n}", loads[n % LOAD_PROCESSES], figures, room=f"{ROOM}-{n % rooms}") for n in range(joins)
        ]
        for client in (*speakers, *clients):
            await client.prepare()
        tasks = [group.create_task(speaker.run(https[0], server.url)) for speaker in speakers]
        await until(loads, "connected", publishers)
        figures.messages.clear()
        figures.sizes.clear()
        before = usage(server, loads)
        started, gate = time.monotonic(), asyncio.Semaphore(JOINING_AT_ONCE)

        async def join(client: Client, http: aiohttp.ClientSession) -> None:
            async with gate:
                tasks.append(group.create_task(client.run(http, server.url)))
                await client.joined.wait()

        async with asyncio.TaskGroup() as joining:
            for client, http in zip(clients, itertools.cycle(https), strict=False):
                joining.create_task(join(client, http))
        figures.joined_s = time.monotonic() - started
        connected = await until(loads, "connected", joins + publishers)
        figures.connected_s = time.monotonic() - started if connected else None
        await asyncio.sleep(SETTLED_AFTER_S)
        after = usage(server, loads)
        figures.cpu_s, figures.python_s, figures.load_s = (after[n] - before[n] for n in range(3))
        figures.rss_bytes = int(after[3] - before[3])
        for task in tasks:
            task.cancel()
    return figures


def usage(server: Server, loads: Sequence[Load]) -> tuple[float, float, float, float]:
    """Return CPU seconds of the server, of its main thread and of the load, and the server's memory in bytes."""
    load_s = sum(cpu_seconds(load.pid) for load in loads)
    return cpu_seconds(server.pid), python_seconds(server.pid), load_s, rss_bytes(server.pid)


async def until(loads: Sequence[Load], counter: str, value: int) -> bool:
    """Wait until a counter of the load has this value. Return whether it came to that."""
    try:
        async with asyncio.timeout(LONGEST_S):
            while (await totals(loads))[counter] < value:
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return True


def servers(only: str | None, profile: str | None = None) -> list[AbstractAsyncContextManager[Server]]:
    """Return the servers to measure, ready to be started one after the other."""
    chosen = []
    if only != "livekit":
        chosen.append(our_server(profile))
    binary = livekit_binary()
    if only != "tertulia" and binary:
        chosen.append(livekit_server(binary))
    return chosen


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joins", type=int, default=1000)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--publishers", type=int, default=1)
    parser.add_argument("--server", choices=["tertulia", "livekit"], help="only this one")
    parser.add_argument("--profile", help="write a cProfile of our server to this file")
    options = parser.parse_args()
    (ROOT / "test-artefacts").mkdir(exist_ok=True)
    for each in servers(options.server, options.profile):
        async with each as server:
            print(await measure(server, options.joins, rooms=options.rooms, publishers=options.publishers), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
