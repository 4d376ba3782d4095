"""The time of day jumps for the server and its recorder; what is recorded runs by the monotonic clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.film import is_like
from support.publisher import COLOURS
from support.recording_server import StartServer
from support.wall_clock import WallClock

HOUR_S = 3600


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
async def test_a_jump_in_the_middle_of_a_recording(start_server: StartServer, tmp_path: Path, jump_s: int) -> None:
    clock = WallClock.make(tmp_path)
    server = await start_server(**clock.environment)
    room = await server.create_room()
    await server.join(room, colour="green")
    recording = await server.start_recording(room)
    began_ms = (await server.recorded(recording, 3))["startedAt"]
    began_s = time.monotonic() - (time.time() - began_ms / 1000)
    assert 0 < time.monotonic() - began_s < 30
    clock.move(jump_s)
    await server.recorded(recording, 7)
    assert (await server.request("POST", "/recordings", {"roomName": room})).status == 409
    await server.stop_recording(recording)
    lasted_s = time.monotonic() - began_s
    shown = await server.ended(recording)
    assert shown["status"] == "STOPPED"
    film = await server.film(recording)
    assert abs(shown["duration"] - film.duration_s) < 0.05
    assert film.duration_s == pytest.approx(lasted_s, abs=2.5), server.log()
    gaps = film.times[1:] - film.times[:-1]
    assert gaps.min() > 0
    assert gaps.max() < 1.5
    assert is_like(film.frame_at(5).reshape(-1, 3).mean(0), COLOURS["green"], 60)
    assert film.loudness(440, 1, film.duration_s - 1) > 0.06
    assert shown["endedAt"] / 1000 - time.time() == pytest.approx(jump_s, abs=60), "the test moved the clock"

    again = await server.start_recording(room)
    await server.stop_recording(again)
    assert (await server.ended(again))["status"] == "STOPPED"
