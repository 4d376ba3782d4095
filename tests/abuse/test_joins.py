"""Joins: a client that comes and goes all the time is slowed, then refused; an office that comes at once is not."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp
import pytest
from livekit.protocol.rtc import LeaveRequest, SignalRequest, SignalResponse

from abuse.conftest import Victim
from support.rest import RestServer
from support.signal_connection import JOIN, join_url, wrapped

pytestmark = pytest.mark.measures_time

OFFICE = 60
ATTACK_S = 5.0


@dataclass
class Tries:
    """What became of the joins: after how long (s) those that succeeded did, and when the first was refused."""

    joined_after_s: list[float] = field(default_factory=list)
    refused: int = 0
    first_refusal_s: float | None = None


async def _join_once(http: aiohttp.ClientSession, server: RestServer, token: str) -> bool:
    """Join and leave. Return False if the server refused the join for now."""
    try:
        async with http.ws_connect(join_url(server, token, wrapped(JOIN)), max_msg_size=0) as socket:
            first = SignalResponse.FromString(await socket.receive_bytes())
            assert first.HasField("join"), first
            await socket.send_bytes(SignalRequest(leave=LeaveRequest()).SerializeToString())
            return True
    except aiohttp.WSServerHandshakeError as error:
        if error.status != 503:
            raise
        return False


async def _come_and_go(server: RestServer, token: str, tries: Tries, *, at_once: int) -> None:
    began_s = time.monotonic()

    async def one(http: aiohttp.ClientSession) -> None:
        while time.monotonic() < began_s + ATTACK_S:
            try_s = time.monotonic()
            if await _join_once(http, server, token):
                tries.joined_after_s.append(time.monotonic() - try_s)
            else:
                tries.refused += 1
                tries.first_refusal_s = tries.first_refusal_s or time.monotonic() - began_s
                await asyncio.sleep(0.02)

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(one(http) for _ in range(at_once)))


async def test_a_client_that_comes_and_goes_is_slowed_then_refused(victim: Victim) -> None:
    server, tries, identity = victim.server, Tries(), "flapping"
    token = server.token(victim.room, identity, "publisher")
    await victim.bystanders.start()
    await _come_and_go(server, token, tries, at_once=2)
    victim.assert_unharmed(await victim.bystanders.report())
    assert len(tries.joined_after_s) < 30, tries
    assert max(tries.joined_after_s) > 0.4, "slowed"
    assert tries.first_refusal_s is not None
    assert tries.first_refusal_s < 5, tries
    refusals = [line for line in server.log().splitlines() if "joins refused" in line and identity in line]
    assert len(refusals) == 1, "said once"
    assert "127.0.0.1" in refusals[0]
    colleague = server.token(victim.room, "colleague", "publisher")
    async with aiohttp.ClientSession() as http:
        assert await _join_once(http, server, colleague), "the same address"


async def test_an_office_joins_at_once(server: RestServer) -> None:
    room = server.create_room(roomNamePrefix="office")
    tokens = [server.sign_participant(room, f"guest-{number}", "publisher") for number in range(OFFICE)]
    began_s = time.monotonic()
    async with aiohttp.ClientSession() as http:
        joined = await asyncio.gather(*(_stay(http, server, token) for token in tokens))
    assert len(joined) == OFFICE
    assert time.monotonic() - began_s < 10


async def _stay(http: aiohttp.ClientSession, server: RestServer, token: str) -> SignalResponse:
    async with http.ws_connect(join_url(server, token, wrapped(JOIN)), max_msg_size=0) as socket:
        first = SignalResponse.FromString(await socket.receive_bytes())
        assert first.HasField("join")
        await asyncio.sleep(1)
        return first
