"""Courses of events that several tests of recordings go through."""

from __future__ import annotations

import asyncio
import signal
import time

from support.film import is_like
from support.publisher import COLOURS
from support.recording_server import RecordingServer, until_found


async def recorder_outlives_server(server: RecordingServer, how: signal.Signals) -> None:
    """Let a recorder outlive its server: the next server adopts it, and it goes on in the same file."""
    room = await server.create_room()
    await server.join(room, "Ann", "red")
    recording = await server.start_recording(room)
    await server.recorded(recording, 2)
    pid = await server.recorder_pid(recording)
    await server.product.stop(how)
    before = server.recorder_state(recording)
    assert before is not None
    await asyncio.gather(server.participants.pop().leave(), server.product.start())
    shown = await server.recording(recording)
    assert shown["status"] == "RECORDING"
    assert (await server.request("POST", "/recordings", {"roomName": room})).status == 409
    bob = await server.join(room, "Bob", "blue")
    # the media server tells participants when the recorder is back: it may take some seconds on a busy machine
    await until_found("the recorder is back in the meeting", lambda: bob.room.is_recording)
    back_at_s = time.time() - shown["startedAt"] / 1000
    await server.recorded(recording, back_at_s + 4)
    assert await server.recorder_pid(recording) == pid
    await server.stop_recording(recording)
    ended = await server.ended(recording)
    film = await server.film(recording)
    assert abs(film.duration_s - ended["duration"]) < 0.1
    assert is_like(film.frame_at(1).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    assert is_like(film.frame_at(film.duration_s - 0.5).reshape(-1, 3).mean(0), COLOURS["blue"], 60)
