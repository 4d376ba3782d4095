"""WebSocket frames that are no messages (pings, pongs, parts without an end), as fast as a guest can send them.

No budget of messages sees them: the connection counts them itself. A client that sends too many is cut off.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Final

import pytest

from abuse.conftest import Victim
from support.raw_websocket import FIRST_PART, PART, PING, PONG, raw_websocket

DROPPED_WITHIN_S: Final = 5.0
ATTACK_S: Final = 3.0
REJOIN_S: Final = 0.1
"""Joining has a price of its own, which is not what is tried here."""


@pytest.mark.measures_time
@pytest.mark.parametrize("frame", [PING, PONG, PART], ids=["pings", "pongs", "parts"])
async def test_frames_that_are_no_messages(victim: Victim, frame: bytes):
    """Again and again, with a new connection each time."""
    server = victim.server
    token = server.token(victim.room, "Mallory", "viewer")
    await victim.bystanders.start()
    until = time.monotonic() + ATTACK_S
    longest_s = 0.0
    while time.monotonic() < until:
        began = time.monotonic()
        async with raw_websocket(server, token) as connection:
            with suppress(ConnectionError):
                await connection.send(FIRST_PART if frame is PART else b"")
                while not connection.ended.is_set() and time.monotonic() < began + DROPPED_WITHIN_S:
                    await connection.send(frame * 5_000)
            async with asyncio.timeout(DROPPED_WITHIN_S):
                await connection.ended.wait()
        longest_s = max(longest_s, time.monotonic() - began)
        await asyncio.sleep(REJOIN_S)
    assert longest_s < DROPPED_WITHIN_S
    victim.assert_unharmed(await victim.bystanders.report(), dropped_after_s=longest_s)
    lines = [json.loads(line) for line in server.log().splitlines() if "no messages" in line]
    assert lines
    assert lines[-1]["address"] == "127.0.0.1"
