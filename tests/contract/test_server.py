"""The server as a whole: started alone, stopped, and with a join policy of the application."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from livekit import rtc

from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import Ports, RunningServer, ServerProcess, embedded
from tertulia_sfu.server import Admission, JoinAttempt, MediaConfig, MediaServer, Refusal

COMMAND = Path(sys.executable).with_name("tertulia-sfu")


async def test_alone_it_is_what_livekit_server_is_in_dev_mode(room: str, tmp_path: Path) -> None:
    ports = Ports()
    command = [str(COMMAND), "--dev", "--port", str(ports.http), "--udp-port", "0", "--tcp-port", "0"]
    process = ServerProcess(command, ports, log=tmp_path / "log")
    await process.start()
    try:
        server = RunningServer("embedded", ports.http, key="devkey", secret="secret")
        async with joined(server, token(server, "ann", room)) as ann:
            process.terminate()
            await ann.wait_for_event("reconnecting")
        assert await process.exit_status(within_s=5) == 0
    finally:
        process.kill()
    log = process.log.read_text()
    assert "access_token" not in log
    assert "eyJ" not in log, "no token in the log"


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        media = MediaServer(MediaConfig(keys={"k": "s"}, udp_port=port, addresses=("127.0.0.1",)))
        with pytest.raises(OSError, match=f"UDP port {port}"):
            await media.start()
        await media.stop()
    assert media.stats() == {}


class StrictJoinPolicy:
    """A policy that refuses some and makes viewers of others."""

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


async def test_the_join_policy_decides_at_each_join_and_resume(room: str) -> None:
    join_policy = StrictJoinPolicy()
    async with embedded(join_policy=join_policy) as server:
        with pytest.raises(rtc.ConnectError):
            async with asyncio.timeout(30):
                await LiveKitClient(rtc.Room()).room.connect(server.ws_url, token(server, "banned", room))
        for identity, status in (("banned", 403), ("broken", 503)):
            query = {"access_token": token(server, identity, room)}
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{server.http_url}/rtc/validate", params=query) as answer,
            ):
                assert answer.status == status
                assert "database" not in await answer.text()
        async with joined(server, token(server, "viewer", room)) as viewer:
            assert not viewer.me.permissions.can_publish
            assert (viewer.me.name, viewer.me.metadata) == ("V", "demoted")
            await viewer.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
            await viewer.wait_for_event("reconnected")
    assert [join.reconnect for join in join_policy.asked if join.identity == "viewer"] == [False, True]


async def test_requests_while_the_server_is_stopped_get_503() -> None:
    media = MediaServer(MediaConfig(keys={"k": "s"}))
    answers: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await media.app({"type": "http", "method": "GET", "path": "/rtc/validate", "headers": []}, receive, send)  # type: ignore[arg-type]
    assert answers[0]["status"] == 503
