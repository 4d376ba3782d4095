"""Crashes of the recorder, the server, and both: the file plays, the state is true, the room can record again."""

from __future__ import annotations

import signal
import time

from support.film import is_like
from support.publisher import COLOURS
from support.recording_scenarios import recorder_outlives_server
from support.recording_server import StartServer


async def test_recorder_killed(start_server: StartServer) -> None:
    server = await start_server()
    room = await server.create_room()
    await server.join(room)
    recording = await server.start_recording(room)
    shown = await server.recorded(recording, 3)
    await server.kill_recorder(recording)
    ended = await server.ended(recording)
    assert ended["status"] == "STOPPED"
    assert ended["duration"] >= shown["duration"] - 2
    film = await server.film(recording)
    assert abs(film.duration_s - ended["duration"]) < 0.1
    assert is_like(film.frame_at(1).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    assert "The recorder was killed" in await server.logged_end(recording)

    again = await server.start_recording(room)
    await server.stop_recording(again)
    assert (await server.ended(again))["status"] == "STOPPED"


async def test_server_killed_and_recorder_goes_on(start_server: StartServer) -> None:
    await recorder_outlives_server(await start_server(), signal.SIGKILL)


async def test_both_killed(start_server: StartServer) -> None:
    server = await start_server()
    room = await server.create_room()
    await server.join(room)
    recording = await server.start_recording(room)
    shown = await server.recorded(recording, 3)
    await server.product.stop(signal.SIGKILL)
    await server.kill_recorder(recording)

    await server.product.start()
    served_at = time.monotonic()
    ended = await server.ended(recording)
    print(f"server's start → repaired: {time.monotonic() - served_at:.2f} s")
    assert ended["status"] == "STOPPED"
    film = await server.film(recording)
    assert film.duration_s >= shown["duration"] - 2
    assert "The recorder was killed" in await server.logged_end(recording)
    await server.join(room, "Bob")
    assert await server.start_recording(room)
