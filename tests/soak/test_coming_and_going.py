"""A meeting of an hour that people join and leave each second, over links that lose packets. `make bench` builds what
sends (`sfu-load`)."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import aiohttp
from bench.forwarding import counters_of
from bench.load import Load, Peer, Publication, load_process
from bench.many_joins import rss_bytes
from bench.servers import Server, our_server, token

MINUTES: Final = float(os.environ.get("SOAK_MINUTES", "60"))
PEOPLE: Final = 40
PUBLISHES_EACH: Final = 13
LOSS: Final = 0.05
LOOK_EACH_S: Final = 5
"""A publisher sends fifty packets of sound and thirty pictures a second: a stream without any in this time is stuck."""
STREAMS_EACH: Final = 2
JOINED_FOR_S: Final = 20
"""The handshakes of `sfu-load` repeat what is lost after 1, 2, 4 and 8 seconds, unlike those of browsers."""
WARM_AFTER: Final = 0.25
MAX_GROWTH_BYTES: Final = 12_000_000
SHARE_THAT_MAY_BE_MISSING: Final = 0.04
"""Of media packets: 5 % are lost, but what is missing is asked for again."""


@dataclass
class Person:
    """A synthetic participant, and since when."""

    peer: Peer
    running: asyncio.Task[None]
    since: float

    @property
    def is_settled(self) -> bool:
        """Whether all has come to it, and from it, since it was looked at last."""
        return time.monotonic() - self.since > JOINED_FOR_S + LOOK_EACH_S


class Meeting:
    """The people who are there, oldest first."""

    def __init__(self, server: Server, load: Load, http: aiohttp.ClientSession) -> None:
        self.people: list[Person] = []
        self.joined = 0
        self.stuck: list[str] = []
        self._server, self._load, self._http = server, load, http

    async def join(self, group: asyncio.TaskGroup) -> None:
        publishes = self.joined % PUBLISHES_EACH == 0
        name = f"person-{self.joined}"
        peer = Peer(name, token(name, publishes=publishes), self._load, Publication() if publishes else None, loss=LOSS)
        self.joined += 1
        ready = asyncio.Event()
        running = group.create_task(peer.run(self._http, self._server.url, ready), name=name)
        await ready.wait()
        self.people.append(Person(peer, running, time.monotonic()))

    async def leave(self) -> None:
        oldest = self.people.pop(0)
        await oldest.peer.leave()
        await oldest.running

    async def look(self) -> None:
        """Note who has received nothing of a stream since the last time."""
        streams = (await self._load.ask(do="streams"))["peers"]
        assert isinstance(streams, dict)
        settled = [person for person in self.people if person.is_settled]
        expected = STREAMS_EACH * sum(person.peer.publishes for person in settled)
        for person in settled:
            received = int(streams[person.peer.name])
            if received < expected and not person.peer.publishes:
                after_s = time.monotonic() - person.since
                self.stuck.append(f"{person.peer.name} after {after_s:.0f} s: {received} of {expected} streams")


async def test_a_meeting_of_an_hour_leaks_nothing_and_nobody_is_stuck() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(our_server())
        load = await stack.enter_async_context(load_process(tells_arrivals=True))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        meeting = Meeting(server, load, http)
        async with asyncio.TaskGroup() as group:
            for _ in range(PEOPLE):
                await meeting.join(group)
            start, warm_bytes = time.monotonic(), 0
            before, received_before = await counters_of(server, http), await received(load)
            for second in itertools.count(1):
                await meeting.join(group)
                await meeting.leave()
                if second % LOOK_EACH_S == 0:
                    await meeting.look()
                passed = (time.monotonic() - start) / (MINUTES * 60)
                if passed >= WARM_AFTER and not warm_bytes:
                    warm_bytes = rss_bytes(server.pid)
                if passed >= 1:
                    break
                await asyncio.sleep(max(0.0, start + second - time.monotonic()))
            grown = Counter(await counters_of(server, http))
            grown.subtract(before)
            received_of_it = await received(load) - received_before
            growth_bytes = rss_bytes(server.pid) - warm_bytes
            forwarded = grown["media_packets_forwarded"]
            print(
                f"{meeting.joined} joined; {forwarded} forwarded, {received_of_it} received; {growth_bytes} bytes more"
            )
            while meeting.people:
                await meeting.leave()
        assert meeting.stuck == []
        assert grown["peers_failed"] == 0
        assert grown["peers_added"] == meeting.joined - PEOPLE
        missing = 1 - received_of_it / forwarded
        assert abs(missing) < SHARE_THAT_MAY_BE_MISSING, missing
        assert growth_bytes < MAX_GROWTH_BYTES


async def received(load: Load) -> int:
    return int(str((await load.ask(do="stats"))["received"]))
