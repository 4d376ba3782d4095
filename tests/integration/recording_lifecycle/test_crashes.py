"""Crashes of the recorder, the server, and both: the file plays, the state is true, the room can record again."""

from __future__ import annotations

import asyncio
import signal
import time

from integration.recording_lifecycle.conftest import MakePlace, Place, until
from support.film import is_like
from support.publisher import COLOURS


async def logged(place: Place, recording: str) -> str:
    """The line in which the worker says how a recording ended."""

    def line() -> str | None:
        found = (each for each in place.log().splitlines() if recording in each and '"recording ended"' in each)
        return next(found, None)

    return await until(line, "the recording's end in the log")


async def test_recorder_killed(place: MakePlace) -> None:
    here = await place()
    room = await here.room()
    await here.join(room)
    recording = await here.start(room)
    shown = await here.recorded(recording, 3)
    await here.kill_recorder(recording)
    ended = await here.ended(recording)
    assert ended["status"] == "STOPPED"
    assert ended["duration"] >= shown["duration"] - 2
    film = await here.film(recording)
    assert abs(film.duration_s - ended["duration"]) < 0.1
    assert is_like(film.frame_at(1).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    assert "The recorder was killed" in await logged(here, recording)

    again = await here.start(room)
    await here.stop(again)
    assert (await here.ended(again))["status"] == "STOPPED"


async def test_server_killed_and_recorder_goes_on(place: MakePlace) -> None:
    await outlives(await place(), signal.SIGKILL)


async def outlives(here: Place, how: signal.Signals) -> None:
    """A recorder that outlives its server is adopted by the next, and goes on in the same file."""
    room = await here.room()
    await here.join(room, "Ann", "red")
    recording = await here.start(room)
    await here.recorded(recording, 2)
    pid = await here.recorder_pid(recording)
    await here.product.stop(how)
    before = here.recorder_says(recording)
    assert before is not None
    await asyncio.gather(here.people.pop().leave(), here.product.start())
    shown = await here.shown(recording)
    assert shown["status"] == "RECORDING"
    assert (await here.ask("POST", "/recordings", {"roomName": room})).status == 409
    bob = await here.join(room, "Bob", "blue")
    # the media server tells everybody when the recorder is back: it may take some seconds on a busy machine
    await until(lambda: bob.room.is_recording, "the recorder is back in the meeting")
    back_at_s = time.time() - shown["startedAt"] / 1000
    await here.recorded(recording, back_at_s + 4)
    assert await here.recorder_pid(recording) == pid
    await here.stop(recording)
    ended = await here.ended(recording)
    film = await here.film(recording)
    assert abs(film.duration_s - ended["duration"]) < 0.1
    assert is_like(film.frame_at(1).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    assert is_like(film.frame_at(film.duration_s - 0.5).reshape(-1, 3).mean(0), COLOURS["blue"], 60)


async def test_both_killed(place: MakePlace) -> None:
    here = await place()
    room = await here.room()
    await here.join(room)
    recording = await here.start(room)
    shown = await here.recorded(recording, 3)
    await here.product.stop(signal.SIGKILL)
    await here.kill_recorder(recording)

    await here.product.start()
    served_at = time.monotonic()
    ended = await here.ended(recording)
    print(f"server's start → repaired: {time.monotonic() - served_at:.2f} s")
    assert ended["status"] == "STOPPED"
    film = await here.film(recording)
    assert film.duration_s >= shown["duration"] - 2
    assert "The recorder was killed" in await logged(here, recording)
    await here.join(room, "Bob")
    assert await here.start(room)
