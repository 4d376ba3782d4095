"""A server that stops finishes what runs; behind a load balancer nobody notices (issue 10)."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from support.balancer import balancer
from support.livekit_clients import joined
from support.ports import free_port
from support.postgres import Postgres
from support.rest import API_KEY, FAR, PUBLIC, RestServer, running_server

HEADERS = {"X-API-KEY": API_KEY}
NO_RECORDER = {"TERTULIA_RECORDING_CAPACITY": "0"}
"""A request for a recording waits some seconds then, and is refused."""


def send(server: RestServer, number: signal.Signals = signal.SIGTERM) -> None:
    assert server.process is not None
    server.process.send_signal(number)


async def ended(server: RestServer, within_s: float) -> int:
    assert server.process is not None
    return await asyncio.to_thread(server.process.wait, within_s)


async def start_recording(server: RestServer, room: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(headers=HEADERS) as http,
        http.post(f"{server.url}{PUBLIC}/recordings", json={"roomName": room}) as answer,
    ):
        return answer.status, (await answer.json())["code"]


async def is_stopping(server: RestServer) -> None:
    """Wait until the server says that it stops; its port is open then."""
    async with asyncio.timeout(5), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{server.url}/health") as answer:
                if answer.status == 503:
                    assert (await answer.json())["status"] == "stopping"
                    return
            await asyncio.sleep(0.02)


async def test_running_requests_are_finished(tmp_path: Path) -> None:
    """One takes three seconds; others are still served meanwhile, and told that the connection ends."""
    with running_server(tmp_path, **NO_RECORDER) as server:
        room = await asyncio.to_thread(server.create_room)
        token = await asyncio.to_thread(server.token, room, "Ana")
        async with joined(server, token) as ana:
            request = asyncio.ensure_future(start_recording(server, room.name))
            await asyncio.sleep(0.5)
            assert not request.done()
            send(server)
            await is_stopping(server)
            other = await asyncio.to_thread(server.ask, "GET", f"/rooms/{room.name}")
            assert (other.status_code, other.headers["connection"]) == (200, "close")
            assert await request == (503, "recorders_busy")
            assert await ended(server, 5) == 0
            await ana.wait_for_event("reconnecting", within_s=5)
        assert "Traceback" not in server.log()
        assert '"status":500' not in server.log()


@pytest.mark.measures_time
async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path, **NO_RECORDER) as server:
        room = await asyncio.to_thread(server.create_room)
        token = await asyncio.to_thread(server.token, room, "Ana")
        async with joined(server, token):
            request = asyncio.ensure_future(start_recording(server, room.name))
            await asyncio.sleep(0.5)
            send(server)
            await is_stopping(server)
            await asyncio.sleep(0.3)  # signals that come at the same time are one
            began_s = time.monotonic()
            send(server, signal.SIGINT)
            assert await ended(server, 5) == -signal.SIGINT
            assert time.monotonic() - began_s < 1
            with suppress(aiohttp.ClientError):
                await request


@pytest.mark.measures_time
def test_ctrl_c_is_quick(tmp_path: Path) -> None:
    """Nothing runs, so nothing is waited for."""
    with running_server(tmp_path) as server:
        server.ask("GET", "/rooms")
        began_s = time.monotonic()
        assert server.stop(signal.SIGINT) == 0
        assert time.monotonic() - began_s < 5


@pytest.mark.parametrize(("timeout_s", "is_whole"), [("30", True), ("1", False)])
async def test_downloads_are_finished_in_time(tmp_path: Path, timeout_s: str, is_whole: bool) -> None:
    """What takes longer than the setting is cut off, with a line in the log."""
    media = bytes(20_000_000)
    with running_server(tmp_path, TERTULIA_STOP_TIMEOUT_S=timeout_s) as server:
        recording = await asyncio.to_thread(lambda: server.add_recording("room", media=media))
        received = 0
        async with (
            aiohttp.ClientSession(headers=HEADERS, read_bufsize=2**16) as http,
            http.get(f"{server.url}{PUBLIC}/recordings/{recording.id}/stream") as answer,
        ):
            received += len(await answer.content.readexactly(1000))
            send(server)
            await asyncio.sleep(2.5)
            with suppress(aiohttp.ClientError):
                async for chunk in answer.content.iter_chunked(2**20):
                    received += len(chunk)
        assert (received == len(media)) == is_whole
        assert await ended(server, 5) == 0
        assert ("requests are cut off" in server.log()) != is_whole


class Clients:
    """Applications that ask all the time, each on a connection that it keeps as long as it may."""

    def __init__(self, url: str, room: str) -> None:
        self._base = f"{url}{PUBLIC}"
        self._room = room
        self._stopped = False
        self.results: Counter[str] = Counter()

    async def run(self, count: int) -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as http, asyncio.TaskGroup() as tasks:
            for number in range(count):
                tasks.create_task(self._ask(http, writes=number % 4 == 0))

    def stop(self) -> None:
        self._stopped = True

    async def _ask(self, http: aiohttp.ClientSession, *, writes: bool) -> None:
        while not self._stopped:
            body = {"expirationDate": FAR, "roomNamePrefix": "rolling"}
            request = (
                http.post(f"{self._base}/rooms", json=body) if writes else http.get(f"{self._base}/rooms/{self._room}")
            )
            try:
                async with request as answer:
                    await answer.read()
                    self.results[str(answer.status)] += 1
            except aiohttp.ClientError as error:
                self.results[repr(error)] += 1
            await asyncio.sleep(0.01)


@pytest.mark.measures_time
async def test_a_rolling_restart_fails_no_request(tmp_path: Path, postgres: Postgres) -> None:
    """Two servers on one PostgreSQL behind a load balancer that asks every 0.2 s."""
    shared = {
        "TERTULIA_DATABASE_URL": await asyncio.to_thread(postgres.new_database),
        "TERTULIA_SECRET_KEY": "a-secret-key-of-both-servers-0123456789",
        "TERTULIA_STOP_DELAY_S": "1",
    }
    ports = [free_port(), free_port()]
    servers = [RestServer(tmp_path / str(port), {**shared, "TERTULIA_PORT": str(port)}).start() for port in ports]
    try:
        room = await asyncio.to_thread(servers[0].create_room)
        async with balancer(ports) as front:
            for port in ports:
                await front.until_ready(port)
            clients = Clients(front.url, room.name)
            asking = asyncio.ensure_future(clients.run(8))
            for server, port in zip(servers, ports, strict=True):
                assert await asyncio.to_thread(server.stop) == 0
                await asyncio.to_thread(server.start)
                await front.until_ready(port)
            clients.stop()
            await asking
    finally:
        for server in servers:
            server.stop()
    assert set(clients.results) == {"200"}, clients.results
    assert clients.results["200"] > 500, clients.results
