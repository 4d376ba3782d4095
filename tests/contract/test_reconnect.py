"""Lost connections: what continues, what is resumed, and which participants are removed."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from livekit.protocol.models import DisconnectReason

from support.livekit_clients import RED, is_near, joined, mean_colour, token, tone
from support.media_servers import RunningServer

CAMERA = rtc.TrackSource.SOURCE_CAMERA
MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


async def test_a_lost_signal_connection_is_resumed_without_effect_on_others(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sounds(440)
        track = await bob.receives("ann", MICROPHONE)
        sid = ann.me.sid
        await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
        await ann.wait_for_event("reconnected")
        assert ann.me.sid == sid
        assert bob.events_named("participant_disconnected") == []
        assert await tone(track, 440) == pytest.approx(440, abs=20)
        await ann.me.publish_data(b"still here")
        await bob.wait_for_event("data_received")


async def test_joins_and_leaves_in_the_meantime_are_sent_after_a_resume(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with joined(server, token(server, "bob", room)):
            await ann.sees("bob")
            await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
        async with joined(server, token(server, "eve", room)) as eve:
            await eve.sounds(440)
            await ann.wait_for_event("reconnected")
            await ann.sees("eve")
            await ann.misses("bob")
            assert await tone(await ann.receives("eve", MICROPHONE), 440) == pytest.approx(440, abs=20)


async def test_after_a_full_reconnect_everything_is_back(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.shows(RED)
        await bob.receives("ann", CAMERA)
        sid = ann.me.sid
        await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        await ann.wait_for_event("reconnected", within_s=30)
        await bob.until(
            lambda: (seen := bob.room.remote_participants.get("ann")) and seen.sid != sid, "ann's new session"
        )
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)


async def test_a_node_failure_ends_in_a_full_reconnect(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await bob.sees("ann")
        sid = ann.me.sid
        await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_NODE_FAILURE)
        await ann.wait_for_event("reconnected", within_s=30)
        await bob.until(
            lambda: (seen := bob.room.remote_participants.get("ann")) and seen.sid != sid, "ann's new session"
        )


async def test_the_server_disconnects_a_participant(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SERVER_LEAVE)
        (reason,) = await ann.wait_for_event("disconnected")
        assert reason == DisconnectReason.SERVER_SHUTDOWN


CLIENT_PROGRAM = """
import asyncio, sys
from livekit import rtc
async def main():
    room = rtc.Room()
    await room.connect(sys.argv[1], sys.argv[2])
    print("connected", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.only("embedded", "livekit-server takes between 21 and 35 s")
async def test_clients_that_vanish_are_removed_after_fifteen_seconds(server: RunningServer, room: str) -> None:
    """One is killed; the other is stopped: its sockets stay open, but nothing comes from them."""
    async with (
        joined(server, token(server, "ann", room)) as ann,
        other_process(server, room, "killed") as killed,
        other_process(server, room, "frozen") as frozen,
    ):
        await ann.sees("killed")
        await ann.sees("frozen")
        killed.send_signal(signal.SIGKILL)
        frozen.send_signal(signal.SIGSTOP)
        since = time.monotonic()
        await ann.until(lambda: not ann.room.remote_participants, "both to be gone", within_s=18)
        assert time.monotonic() - since > 12, "they had too little time to resume"


@asynccontextmanager
async def other_process(server: RunningServer, room: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Connect a participant in a process of its own."""
    access = token(server, name, room)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT_PROGRAM, server.ws_url, access, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
