"""What was answered is there after a restart, however the server was stopped."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from support.rest import API_KEY, FAR, PUBLIC, running_server


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_answered_writes_survive(tmp_path: Path, request: pytest.FixtureRequest, database, how):
    """(issue 4) Restart (SIGTERM and SIGKILL) in the middle of 200 concurrent writes: everything that was answered is
    there afterwards."""
    settings = {}
    if database == "postgres":
        cluster = await asyncio.to_thread(request.getfixturevalue, "postgres")
        settings["TERTULIA_DATABASE_URL"] = await asyncio.to_thread(cluster.new_database)
    with running_server(tmp_path, **settings) as server:
        answered: set[str] = set()

        async def write(http: aiohttp.ClientSession, number: int) -> None:
            body = {"expirationDate": FAR, "roomNamePrefix": f"w{number}"}
            try:
                async with http.post(f"{server.url}{PUBLIC}/rooms", json=body) as answer:
                    if answer.status == 200:
                        answered.add((await answer.json())["roomName"])
                    else:
                        assert answer.status == 503
            except aiohttp.ClientError:
                return
            if len(answered) == 60:
                server.process.send_signal(how)

        connector = aiohttp.TCPConnector(limit=200)
        async with aiohttp.ClientSession(headers={"X-API-KEY": API_KEY}, connector=connector) as http:
            await asyncio.gather(*(write(http, number) for number in range(200)))
        code = await asyncio.to_thread(server.process.wait, 20)
        assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        assert len(answered) >= 60
        await asyncio.to_thread(server.start)
        rooms = await asyncio.to_thread(server.ask, "GET", "/rooms?fields=roomName")
        assert answered <= {room["roomName"] for room in rooms.json()}


def test_idempotency_key_survives(tmp_path: Path):
    """honours `Idempotency-Key` (24 h, survives a restart)."""
    with running_server(tmp_path) as server:
        once = lambda: server.ask(  # noqa: E731
            "POST", "/rooms", {"expirationDate": FAR}, headers={"Idempotency-Key": "k"}
        ).json()
        first = once()
        server.stop(signal.SIGKILL)
        server.start()
        assert once()["roomName"] == first["roomName"]
