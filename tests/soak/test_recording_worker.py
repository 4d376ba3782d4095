"""Many crashes at random instants, with a real server, real recorders, real people. `make soak`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from integration.recording_lifecycle.conftest import MakePlace, Place, until
from integration.recording_lifecycle.conftest import place as place  # noqa: PLC0414 - a fixture
from integration.recording_lifecycle.test_crashes import outlives

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "20"))
SEED = int(os.environ.get("SOAK_SEED", "1"))

pytestmark = pytest.mark.timeout(ROUNDS * 120)


@pytest.fixture
def chance() -> Iterator[random.Random]:
    print(f"SOAK_SEED={SEED}")
    return random.Random(SEED)


async def kill_recorder(here: Place, recording: str) -> None:
    with suppress(ProcessLookupError):
        state = here.recorder_says(recording)
        if state is not None:
            os.kill(state.pid, signal.SIGKILL)


async def restart(here: Place, how: signal.Signals) -> None:
    await here.product.stop(how)
    await here.product.start()


@pytest.mark.parametrize("victims", [("recorder",), ("server",), ("server", "recorder")])
async def test_killed_at_any_instant(place: MakePlace, chance: random.Random, victims: tuple[str, ...]) -> None:
    """Whatever dies when: no row is stuck, what says that it has a file has one, the room can record again."""
    here = await place(RECORDING_EMPTY_TIMEOUT_S="5")
    for number in range(ROUNDS):
        room = await here.room()
        person = await here.join(room)
        starting = asyncio.ensure_future(here.ask("POST", "/recordings", {"roomName": room}))
        instant_s = chance.uniform(0.0, 9.0)
        stops_at_s = chance.uniform(4.0, 9.0)
        print(f"round {number}: {victims} at {instant_s:.2f} s, stop at {stops_at_s:.2f} s")
        await asyncio.sleep(min(instant_s, stops_at_s))
        with suppress(Exception):
            (newest, *_) = (await here.ask("GET", "/recordings")).body
            if stops_at_s < instant_s:
                await here.ask("PUT", f"/recordings/{newest['id']}")
                await asyncio.sleep(min(instant_s - stops_at_s, 1.0))
            if "recorder" in victims:
                await kill_recorder(here, newest["id"])
        if "server" in victims:
            await restart(here, signal.SIGKILL)
        with suppress(Exception):
            await starting
        with suppress(Exception):
            async with asyncio.timeout(10):
                await person.leave()
        here.people.remove(person)

        shown = (await here.ask("GET", "/recordings?maxItems=1")).body
        if shown and shown[0]["roomName"] == room:
            recording = shown[0]["id"]
            ended = await here.ended(recording, within_s=60)
            if ended["status"] == "STOPPED":
                film = await here.film(recording)
                assert abs(film.duration_s - ended["duration"]) < 0.1
                assert len(film.times) > 0
        await here.join(room, "Bob")
        again = await here.start(room)
        await here.stop(again)
        await here.ended(again)
        await here.people.pop().leave()


async def test_server_stopped_and_recorder_goes_on(place: MakePlace) -> None:
    await outlives(await place(), signal.SIGTERM)


async def test_recorder_killed_while_it_starts(place: MakePlace) -> None:
    here = await place()
    room = await here.room()
    await here.join(room)
    starting = asyncio.ensure_future(here.ask("POST", "/recordings", {"roomName": room}))
    recordings = here.data_dir / "data" / "recordings"
    state = await until(lambda: next(recordings.glob("rec-*/state.json"), None), "a recorder's first word")
    await here.kill_recorder(state.parent.name)
    answer = await starting
    assert (answer.status, answer.body["code"]) == (503, "recording_failed"), answer
    assert (await here.shown(state.parent.name))["status"] == "FAILED"
    assert await here.start(room)
