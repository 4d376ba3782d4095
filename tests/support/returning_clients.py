"""Signal connections without media, which are made again as `livekit-client` does when a server goes and comes back."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import aiohttp
from livekit.protocol.rtc import LeaveRequest, Ping, SignalRequest, SignalResponse

from support.livekit_clients import token
from support.media_servers import RunningServer, ServerProcess
from support.signal_connection import JOIN, join_url, wrapped

IN_A_ROOM: Final = 25
PAUSES_S: Final = (0.0, 0.3, 1.2, 2.7, 4.8, 7.0, 7.0, 7.0)
"""Between the attempts of `livekit-client`; up to a second of chance is added from the third on."""
FIRST_RANDOM: Final = 2
PING_INTERVAL_S: Final = 5.0
ALL_WITHIN_S: Final = 60.0
STOPPED_WITHIN_S: Final = 30.0
BETWEEN_SIGNALS_S: Final = 0.2


class ReturningClient:
    """One participant. Times are on the monotonic clock, and of its newest attempt, join and failure."""

    def __init__(self, server: RunningServer, number: int) -> None:
        self._url = join_url(server, token(server, f"p{number}", f"room-{number // IN_A_ROOM}"), wrapped(JOIN))
        self.joined_at = 0.0
        self.tried_at = 0.0
        self.failed_at = 0.0
        self.told: list[LeaveRequest] = []

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Join, and join again whenever the connection is lost. Raise ConnectionError when a client would give up."""
        while True:
            for number, pause_s in enumerate(PAUSES_S):
                await asyncio.sleep(pause_s + (random.random() if number >= FIRST_RANDOM else 0.0))
                self.tried_at = time.monotonic()
                try:
                    await self._stay(http)
                    break
                except (aiohttp.ClientError, ConnectionError):
                    self.failed_at = time.monotonic()
            else:
                raise ConnectionError("given up")

    async def _stay(self, http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(self._url, max_msg_size=0) as socket, asyncio.TaskGroup() as tasks:
            pinging = tasks.create_task(self._ping(socket))
            async for message in socket:
                response = SignalResponse.FromString(message.data)
                if response.HasField("join"):
                    self.joined_at = time.monotonic()
                elif response.HasField("leave"):
                    self.told.append(response.leave)
            pinging.cancel()

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with suppress(ConnectionError, aiohttp.ClientError):
            while True:
                await asyncio.sleep(PING_INTERVAL_S)
                await socket.send_bytes(SignalRequest(ping_req=Ping(timestamp=1)).SerializeToString())


@dataclass(frozen=True)
class Restart:
    """How long (s) a server takes to stop and to answer again, and the last client to be back after that.

    `back_s` has a pause of the clients in it; `longest_join_s` is the longest time from a client's successful attempt
    until it had joined. `refused`: clients whose attempts failed although the server was there.
    """

    stop_s: float
    start_s: float
    back_s: float
    longest_join_s: float
    refused: int


@asynccontextmanager
async def joined_clients(server: RunningServer, count: int) -> AsyncIterator[list[ReturningClient]]:
    """Let clients join a server, in rooms of `IN_A_ROOM`, and come back as long as the block lasts."""
    clients = [ReturningClient(server, number) for number in range(count)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each.run(http)) for each in clients]
        await _until_all_have_joined(clients, 0.0)
        try:
            yield clients
        finally:
            for task in running:
                task.cancel()


async def restart(process: ServerProcess, clients: Sequence[ReturningClient], *, insists: bool = False) -> Restart:
    """Stop the server with SIGTERM, start it again, and wait until all clients are back.

    `insists`: with a second SIGTERM, without which livekit-server waits until its participants have left.
    """
    told = time.monotonic()
    process.terminate()
    if insists:
        await asyncio.sleep(BETWEEN_SIGNALS_S)  # the system delivers two that wait as one
        process.terminate()
    await process.exit_status(STOPPED_WITHIN_S)
    stopped = time.monotonic()
    await process.start()
    began = time.monotonic()
    await _until_all_have_joined(clients, stopped)
    return Restart(
        stop_s=stopped - told,
        start_s=began - stopped,
        back_s=max(each.joined_at for each in clients) - began,
        longest_join_s=max(each.joined_at - each.tried_at for each in clients),
        refused=sum(each.failed_at > began for each in clients),
    )


async def _until_all_have_joined(clients: Sequence[ReturningClient], since: float) -> None:
    async with asyncio.timeout(ALL_WITHIN_S):
        while any(each.joined_at <= since for each in clients):
            await asyncio.sleep(0.05)
