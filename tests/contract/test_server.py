"""The server as a whole: started alone, stopped, asked at its join_policy, and slow clients."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from livekit import rtc
from livekit.protocol.models import DisconnectReason

from support.livekit_clients import Person, joined, token
from support.media_servers import RunningServer, embedded, free_port
from tertulia_sfu.server import Admission, JoinAttempt, MediaConfig, MediaServer, Refusal

COMMAND = Path(sys.executable).with_name("tertulia-sfu")


@asynccontextmanager
async def command(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, RunningServer]]:
    """`tertulia-sfu --dev` in a process of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        COMMAND, "--dev", "--port", str(port), "--udp-port", "0", *options, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while process.returncode is None:
                try:
                    async with http.get(f"http://127.0.0.1:{port}/") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        yield process, RunningServer("embedded", port, key="devkey", secret="secret")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_alone_it_is_what_livekit_server_is_in_dev_mode(room: str) -> None:
    async with command() as (process, server):
        async with joined(server, token(server, "ann", room)) as ann:
            process.send_signal(signal.SIGTERM)
            (reason,) = await ann.notices("disconnected")
            assert reason == DisconnectReason.SERVER_SHUTDOWN
        async with asyncio.timeout(5):
            _output, errors = await process.communicate()
        assert process.returncode == 0
        assert b"access_token" not in errors
        assert b"eyJ" not in errors, "no token in the log"


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        media = MediaServer(MediaConfig(keys={"k": "s"}, udp_port=port, addresses=("127.0.0.1",)))
        with pytest.raises(OSError, match=f"UDP port {port}"):
            await media.start()
        await media.stop()
    assert media.stats() == {}


class StrictDoor:
    """Refuses some, makes viewers of others."""

    def __init__(self) -> None:
        self.asked: list[JoinAttempt] = []

    async def admit(self, join: JoinAttempt) -> Admission:
        self.asked.append(join)
        if join.identity == "banned":
            return Admission(refusal=Refusal(403, "You were removed from this meeting."))
        if join.identity == "broken":
            raise RuntimeError("no database")
        if join.identity == "viewer":
            video = replace(join.claims.video, can_publish=False, can_publish_data=False)
            return Admission(grant=video, metadata="demoted", name="V")
        return Admission()


async def test_the_application_has_the_last_word_at_the_door(room: str) -> None:
    join_policy = StrictDoor()
    async with embedded(join_policy=join_policy) as server:
        with pytest.raises(rtc.ConnectError):
            async with asyncio.timeout(30):
                await Person(rtc.Room()).room.connect(server.ws_url, token(server, "banned", room))
        for identity, status in (("banned", 403), ("broken", 503)):
            query = {"access_token": token(server, identity, room)}
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{server.http_url}/rtc/v1/validate", params=query) as answer,
            ):
                assert answer.status == status
                assert "database" not in await answer.text()
        async with joined(server, token(server, "viewer", room)) as viewer:
            assert not viewer.me.permissions.can_publish
            assert (viewer.me.name, viewer.me.metadata) == ("V", "demoted")
            await viewer.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
            await viewer.notices("reconnected")
    assert [join.reconnect for join in join_policy.asked if join.identity == "viewer"] == [False, True]


async def test_who_comes_while_the_server_is_down_is_told_so() -> None:
    media = MediaServer(MediaConfig(keys={"k": "s"}))
    answers: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await media.app({"type": "http", "method": "GET", "path": "/rtc/validate", "headers": []}, receive, send)  # type: ignore[arg-type]
    assert answers[0]["status"] == 503
