"""What the Python SDK's own tests import as `utils`: the package that has them (its source archive) lacks it.

The names and arguments are those that they use; they run with pytest alone, outside this repository's packages.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import pytest
from livekit import api, rtc

DEADLINE_S: Final = 20.0
_Check = Callable[..., object]


def skip_if_no_credentials() -> pytest.MarkDecorator:
    """Mark a test that needs a server: here there is one."""
    return pytest.mark.skipif("LIVEKIT_URL" not in os.environ, reason="needs a server")


def unique_room_name(prefix: str) -> str:
    """Return the name of a room that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def create_token(identity: str, room_name: str) -> str:
    """Return a token to join a room and do everything in it."""
    token = api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
    return token.with_identity(identity).with_grants(api.VideoGrants(room_join=True, room=room_name)).to_jwt()


async def connect_room(
    identity: str, room_name: str, *, room: rtc.Room | None = None, options: rtc.RoomOptions | None = None
) -> rtc.Room:
    """Join a room."""
    room = room or rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], create_token(identity, room_name), options or rtc.RoomOptions())
    return room


async def wait_until(condition: Callable[[], object], *, message: str = "", timeout: float = DEADLINE_S) -> None:
    """Wait until a condition holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while not condition():
        assert loop.time() < end, message
        await asyncio.sleep(0.02)


assert_eventually = wait_until


async def ensure_rooms_all_connected(rooms: Iterable[rtc.Room]) -> None:
    """Wait until all are connected."""
    for room in rooms:
        await wait_until(room.isconnected, message=f"{room.name} is not connected")


async def ensure_participants_visible(room: rtc.Room, identities: Iterable[str]) -> None:
    """Wait until these are among the others in a room."""
    wanted = set(identities)
    await wait_until(lambda: wanted <= set(room.remote_participants), message=f"not all of {wanted} are there")


def expect_room_event(room: rtc.Room, event: Any, predicate: _Check | None = None) -> asyncio.Future[Sequence[Any]]:
    """Return what becomes the arguments of the next such event."""
    found: asyncio.Future[Sequence[Any]] = asyncio.get_running_loop().create_future()

    def happened(*args: Any) -> None:
        if not found.done() and (predicate is None or predicate(*args)):
            found.set_result(args)

    room.on(event, happened)
    return found


async def await_event(event: asyncio.Future[Sequence[Any]], timeout: float = DEADLINE_S) -> Sequence[Any]:
    """Wait for an event."""
    return await asyncio.wait_for(event, timeout)


async def ensure_track_subscribed(room: rtc.Room, sid: str) -> rtc.RemoteTrackPublication:
    """Wait until a track of another participant is there, and return its publication."""

    def found() -> rtc.RemoteTrackPublication | None:
        publications = (each.track_publications.get(sid) for each in room.remote_participants.values())
        return next((each for each in publications if each is not None and each.track is not None), None)

    await wait_until(found, message=f"{sid} is not subscribed")
    publication = found()
    assert publication is not None
    return publication


async def publish_dummy_video(source: rtc.VideoSource, stop: asyncio.Event) -> None:
    """Send pictures that change until it is stopped."""
    width, height, brightness = 640, 480, 0
    while not stop.is_set():
        brightness = (brightness + 9) % 200
        picture = np.full((height, width, 4), brightness, np.uint8)
        source.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes()))
        await asyncio.sleep(1 / 15)
