"""A thousand join one room: how soon all receive the sound, how many messages that takes, what it costs the server.

    python -m bench.many_joins [--joins 1000] [--server tertulia|livekit] [--profile FILE]

One participant sends sound of about 50 kb/s; the others, with media of their own (`sfu/crates/sfu-load`), join and
subscribe. Clients, load and server share this machine. Messages are counted by their kind and not decoded, so that the
clients cost little. `--profile` writes where our server's Python spends its time (cProfile).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from livekit.protocol import models, rtc

from bench.forwarding import ROOT, Server, cpu_seconds, livekit_binary, livekit_server, our_server, token
from bench.load import Load, join_request, load_process

# each process waits for one peer at a time, up to 50 ms
LOAD_PROCESSES: Final = 16
JOINING_AT_ONCE: Final = 64
# an audience has many addresses; this server bounds how many may join from one at once
ADDRESSES: Final = 40
SETTLED_AFTER_S: Final = 4.0

FIELDS: Final = {each.number: each.name for each in rtc.SignalResponse.DESCRIPTOR.fields}
ANSWERED: Final = frozenset({"answer", "media_sections_requirement", "leave"})


@dataclass
class Figures:
    """What was measured over one server."""

    server: str
    joins: int
    joined_s: float = 0.0
    receiving_s: float = 0.0
    dropped: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    python_s: float | None = None
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

    def __init__(self, name: str, load: Load, figures: Figures, *, sends: bool = False) -> None:
        self.name = name
        self.joined = asyncio.Event()
        self._load = load
        self._figures = figures
        self._sends = sends
        self._offer_id = 0
        self._answered = False
        self._wanted = 0

    async def run(self, http: aiohttp.ClientSession, url: str) -> None:
        """Join and stay."""
        offer = await self._offer(1)
        tracks = []
        if self._sends:
            kind, source = models.TrackType.AUDIO, models.TrackSource.MICROPHONE
            tracks = [rtc.AddTrackRequest(cid="load-audio", type=kind, source=source)]
        query = {
            "access_token": token(self.name, publishes=self._sends),
            "join_request": join_request(offer, tracks),
        }
        async with http.ws_connect(f"{url}/rtc/v1", params=query, max_msg_size=0) as socket:
            async for message in socket:
                kind = kind_of(message.data)
                self._figures.messages[kind] += 1
                self._figures.sizes[kind] += len(message.data)
                self.joined.set()
                if kind in ANSWERED:
                    await self._serve(socket, rtc.SignalResponse.FromString(message.data))

    async def _offer(self, audio: int) -> rtc.SessionDescription:
        self._offer_id += 1
        answer = await self._load.ask(do="offer", peer=self.name, audio=audio, video=0, publish=self._sends)
        return rtc.SessionDescription(type="offer", sdp=str(answer["offer"]), id=self._offer_id)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, response: rtc.SignalResponse) -> None:
        kind = response.WhichOneof("message")
        if kind == "answer":
            await self._load.ask(do="answer", peer=self.name, sdp=response.answer.sdp)
            self._answered = True
        elif kind == "media_sections_requirement":
            self._wanted = response.media_sections_requirement.num_audios or 1
        else:
            self._figures.dropped += 1
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
        counts.update({name: int(str(value)) for name, value in stats.items() if name != "peer"})
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


async def measure(server: Server, joins: int) -> Figures:
    """Let everyone join, and return the figures."""
    figures = Figures(server.name, joins)
    async with AsyncExitStack() as stack, sessions() as https, asyncio.TaskGroup() as group:
        loads = [await stack.enter_async_context(load_process()) for _ in range(LOAD_PROCESSES)]
        tasks = []
        speaker = Client("publisher", loads[0], figures, sends=True)
        tasks.append(group.create_task(speaker.run(https[0], server.url)))
        await until(loads, lambda counts: counts["sent"] > 0)
        figures.messages.clear()
        rss, cpu = rss_bytes(server.pid), cpu_seconds(server.pid)
        python = python_seconds(server.pid)
        load_cpu = sum(cpu_seconds(load.pid) for load in loads)
        started, gate = time.monotonic(), asyncio.Semaphore(JOINING_AT_ONCE)

        async def join(number: int) -> None:
            client = Client(f"viewer-{number}", loads[number % LOAD_PROCESSES], figures)
            async with gate:
                tasks.append(group.create_task(client.run(https[number % ADDRESSES], server.url)))
                await client.joined.wait()

        async with asyncio.TaskGroup() as joining:
            for number in range(joins):
                joining.create_task(join(number))
        figures.joined_s = time.monotonic() - started
        await until(loads, lambda counts: counts["connected"] == joins + 1)
        figures.receiving_s = time.monotonic() - started
        await asyncio.sleep(SETTLED_AFTER_S)
        figures.cpu_s = cpu_seconds(server.pid) - cpu
        figures.python_s = python_seconds(server.pid) - python if server.name == "tertulia" else None
        figures.load_s = sum(cpu_seconds(load.pid) for load in loads) - load_cpu
        figures.rss_bytes = rss_bytes(server.pid) - rss
        for task in tasks:
            figures.dropped += task.done()
            task.cancel()
    return figures


async def until(loads: Sequence[Load], reached: object) -> None:
    """Wait until the counters of the load fulfil a condition."""
    assert callable(reached)
    async with asyncio.timeout(120):
        while not reached(await totals(loads)):
            await asyncio.sleep(0.1)


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
    parser.add_argument("--server", choices=["tertulia", "livekit"], help="only this one")
    parser.add_argument("--profile", help="write a cProfile of our server to this file")
    options = parser.parse_args()
    (ROOT / "test-artefacts").mkdir(exist_ok=True)
    for each in servers(options.server, options.profile):
        async with each as server:
            print(await measure(server, options.joins), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
