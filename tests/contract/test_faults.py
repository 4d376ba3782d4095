"""A worker of the media core is lost, and the server is restarted: clients come back by themselves."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from livekit import rtc

from support.fake_core import event
from support.livekit_clients import LiveKitClient, joined, token, tone
from support.media_servers import Ports, RunningServer, ServerProcess, embedded, tertulia_sfu_command

MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE
TWO: Final = rtc.RoomOptions(single_peer_connection=False)
BACK_WITHIN_S: Final = 5.0


def lose_worker(server: RunningServer, peers: list[str]) -> None:
    """Have these peers lost, and told as the core tells it when a worker has lost its state.

    That a panic ends in this, and in an empty worker that takes new peers, is a test of the core (`worker.rs`).
    """
    assert server.media is not None
    runtime = server.media._runtime
    assert runtime is not None
    for peer in peers:
        runtime.core.remove_peer(peer)
        runtime.rooms.handle_media_event(event("PeerFailed", peer, reason="worker fault"), time.time())


async def has_new_session(witness: LiveKitClient, identity: str, sid: str) -> None:
    await witness.until(
        lambda: (seen := witness.room.remote_participants.get(identity)) and seen.sid != sid,
        f"{identity}'s new session",
        within_s=BACK_WITHIN_S,
    )


@pytest.mark.measures_time
async def test_peers_of_a_worker_that_has_died_come_back_and_the_others_are_unharmed(room: str) -> None:
    async with embedded(workers=2) as server, AsyncExitStack() as stack:

        async def enters(name: str, options: rtc.RoomOptions | None = None) -> LiveKitClient:
            client: LiveKitClient = await stack.enter_async_context(
                joined(server, token(server, name, room), options=options)
            )
            return client

        ann, bob, eve, dan = await enters("ann"), await enters("bob"), await enters("eve", TWO), await enters("dan")
        await ann.sounds(440)
        await bob.sounds(880)
        heard = await dan.receives("bob", MICROPHONE)
        await bob.receives("ann", MICROPHONE)
        sids = {client.me.identity: client.me.sid for client in (ann, eve)}
        lose_worker(server, [ann.me.sid, f"{eve.me.sid}/subscriber"])
        began = time.monotonic()
        await asyncio.gather(*(has_new_session(dan, name, sid) for name, sid in sids.items()))
        for client in (ann, eve):
            await client.wait_for_event("reconnected", within_s=BACK_WITHIN_S)
        assert await tone(await dan.receives("ann", MICROPHONE), 440, within_s=BACK_WITHIN_S) == pytest.approx(
            440, abs=20
        )
        assert time.monotonic() - began < 2 * BACK_WITHIN_S
        for client in (ann, eve):
            assert await tone(await client.receives("bob", MICROPHONE), 880) == pytest.approx(880, abs=20)
        assert await tone(heard, 880) == pytest.approx(880, abs=20)
        for client in (bob, dan):
            assert not client.events_named("reconnecting")
            assert not client.events_named("track_unsubscribed") or client.events_named("track_subscribed")


@pytest.mark.measures_time
async def test_after_a_restart_all_are_back(room: str, tmp_path: Path) -> None:
    ports = Ports()
    process = ServerProcess(tertulia_sfu_command(ports), ports, log=tmp_path / "log")
    await process.start()
    server = RunningServer("embedded", ports.http)
    try:
        async with AsyncExitStack() as stack:
            clients: list[LiveKitClient] = [
                await stack.enter_async_context(
                    joined(server, token(server, f"p{number}", room), options=TWO if number % 2 else None)
                )
                for number in range(12)
            ]
            await clients[0].sounds(440)
            process.terminate()
            assert await process.exit_status() == 0
            await process.start()

            def is_back(client: LiveKitClient) -> bool:
                return bool(client.events_named("reconnected")) and len(client.room.remote_participants) == 11

            await asyncio.gather(*(client.until(lambda c=client: is_back(c), "all to be back") for client in clients))
            assert await tone(await clients[1].receives("p0", MICROPHONE), 440) == pytest.approx(440, abs=20)
            assert not [client for client in clients if client.events_named("disconnected")]
    finally:
        process.kill()
