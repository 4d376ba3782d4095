"""Data tracks: frames reach who subscribes, over one and over two peer connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import pytest
from livekit import rtc
from livekit.rtc.participant import PublishDataTrackError

from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import RunningServer

TWO: Final = rtc.RoomOptions(single_peer_connection=False)
PUSH_EVERY_S: Final = 0.1


async def track_of(client: LiveKitClient, name: str) -> rtc.RemoteDataTrack:
    """Wait until a data track of this name is there."""

    def found() -> rtc.RemoteDataTrack | None:
        tracks = [track for (track,) in client.events_named("data_track_published") if track.info.name == name]
        return tracks[-1] if tracks else None

    track: rtc.RemoteDataTrack = await client.until(found, f"the data track {name}")
    return track


async def carries(track: rtc.LocalDataTrack, stream: rtc.DataTrackStream, payload: bytes) -> None:
    """Push a frame until it is received: one may be lost, or come before the subscription."""

    async def push() -> None:
        while True:
            track.try_push(rtc.DataTrackFrame(payload=payload))
            await asyncio.sleep(PUSH_EVERY_S)

    pushing = asyncio.ensure_future(push())
    try:
        async with asyncio.timeout(15):
            while (await stream.__anext__()).payload != payload:
                pass
    finally:
        pushing.cancel()
        with suppress(asyncio.CancelledError):
            await pushing


@pytest.mark.parametrize("options", [None, TWO], ids=["one connection", "two connections"])
async def test_frames_reach_who_subscribes(server: RunningServer, room: str, options: rtc.RoomOptions | None) -> None:
    async with (
        joined(server, token(server, "ann", room), options=options) as ann,
        joined(server, token(server, "bob", room), options=options) as bob,
    ):
        position = await ann.me.publish_data_track(name="position")
        assert position.info.sid.startswith("DTR_")
        camera = await ann.me.publish_data_track(name="camera")
        stream = (await track_of(bob, "position")).subscribe()
        await carries(position, stream, b"1,2")
        await carries(position, stream, b"x" * 40_000)
        async with joined(server, token(server, "eve", room)) as eve:
            late = (await track_of(eve, "camera")).subscribe()
            await carries(camera, late, b"picture")
        with pytest.raises(PublishDataTrackError):
            await ann.me.publish_data_track(name="position")
        await position.unpublish()
        async with asyncio.timeout(15):
            while await stream.read() is not None:
                pass
        (sid,) = await bob.wait_for_event("data_track_unpublished")
        assert sid == position.info.sid


async def test_frames_go_on_after_a_resume(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        track = await ann.me.publish_data_track(name="position")
        stream = (await track_of(bob, "position")).subscribe()
        await carries(track, stream, b"before")
        await bob.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
        await bob.wait_for_event("reconnected")
        await carries(track, stream, b"after a resume of the subscriber")


async def test_who_may_publish_no_data_is_told_so(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room, can_publish_data=False)) as ann:
        with pytest.raises(PublishDataTrackError):
            await ann.me.publish_data_track(name="position")
