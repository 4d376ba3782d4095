"""A room that is large enough for updates about participants to be collected."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from livekit import rtc
from livekit.protocol.rtc import LeaveRequest, SignalRequest

from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import RunningServer
from support.signal_connection import raw_connection, receive

CROWD = [f"viewer-{number}" for number in range(40)]


def _seen(client: LiveKitClient) -> set[str]:
    return set(client.room.remote_participants)


async def test_clients_follow_who_comes_publishes_and_goes_in_a_room_of_forty(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, AsyncExitStack() as stack:
        connections = await asyncio.gather(
            *(stack.enter_async_context(raw_connection(server, token(server, name, room))) for name in CROWD)
        )
        await asyncio.gather(*(receive(connection, "join") for connection in connections))
        bob = await stack.enter_async_context(joined(server, token(server, "bob", room)))
        await bob.sounds(440)
        await ann.receives("bob", rtc.TrackSource.SOURCE_MICROPHONE)
        await ann.until(lambda: _seen(ann) == {"bob", *CROWD}, "everyone to be seen")
        await bob.until(lambda: _seen(bob) == {"ann", *CROWD}, "everyone to be seen by who came late")
        leave = SignalRequest(leave=LeaveRequest()).SerializeToString()
        for connection in connections:
            await connection.send_bytes(leave)
        await ann.until(lambda: _seen(ann) == {"bob"}, "the others to be gone")
        await bob.until(lambda: _seen(bob) == {"ann"}, "the others to be gone")
    came = [participant.identity for (participant,) in ann.events_named("participant_connected")]
    assert sorted(came) == sorted(["bob", *CROWD]), "each came once"
