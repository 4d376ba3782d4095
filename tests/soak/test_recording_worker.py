"""Many crashes at random instants, with a real server, real recorders, real participants. `make soak`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import pytest

from support.film import Film
from support.publisher import Look, Publisher, beep_each_second
from support.recording_scenarios import recorder_outlives_server
from support.recording_server import RecordingServer, Response, StartServer, until_found
from support.synchrony import sound_after_picture_s
from tertulia_recorder.job import RecorderPhase, RecorderState

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "20"))
SEED = int(os.environ.get("SOAK_SEED", "1"))

LOST_BY_A_KILL_S = 2.0
LOST_OTHERWISE_S = 0.04
DURATION_DIFFERS_S = 0.02
SOUND_AFTER_PICTURE_S = 0.04
SOUND_AFTER_PICTURE_ON_AVERAGE_S = 0.02
ENOUGH_FOR_A_ROUND = 3
ENOUGH_FOR_AN_AVERAGE = 10

pytestmark = pytest.mark.timeout(ROUNDS * 120)


@pytest.fixture
def chance() -> Iterator[random.Random]:
    print(f"SOAK_SEED={SEED}")
    return random.Random(SEED)


@dataclass
class Round:
    """What happened in one round. Times are of the time of day, as `startedAt` is."""

    room: str
    clapper: Publisher
    shown: dict[str, Any] | None = None
    """The recording as the API showed it just before the kill; None: there was none yet."""
    state: RecorderState | None = None
    """The recorder's state at that instant."""
    stopped_at_s: float | None = None
    recorder_killed_at_s: float | None = None
    server_killed_at_s: float | None = None
    left_at_s: float | None = None
    response: Response | None = None
    """What the start was answered; None: the server died before."""

    @property
    def had_media(self) -> bool:
        """Whether the recording was ACTIVE, by the API, or by what its recorder had put on the disk."""
        was_active = self.shown is not None and self.shown["status"] not in {"STARTING", "FAILED"}
        was_answered = self.response is not None and self.response.status == 200
        return was_active or was_answered or (self.state is not None and self.state.duration_s > 0)

    @property
    def recorded_until_s(self) -> float:
        """The time that the file has to reach, but for what a killed recorder loses."""
        ends = (self.stopped_at_s, self.recorder_killed_at_s, self.server_killed_at_s, self.left_at_s)
        return min(end for end in ends if end is not None)


@pytest.mark.parametrize("victims", [("recorder",), ("server",), ("server", "recorder")])
async def test_killed_at_any_instant(
    start_server: StartServer, chance: random.Random, victims: tuple[str, ...]
) -> None:
    """Whatever dies when: what was ACTIVE has a file, with a bounded loss; the room can record again."""
    server = await start_server(RECORDING_EMPTY_TIMEOUT_S="5")
    offsets: list[float] = []
    for number in range(ROUNDS):
        killed_after_s, stopped_after_s = chance.uniform(0.0, 9.0), chance.uniform(4.0, 9.0)
        print(f"round {number}: {victims} at {killed_after_s:.2f} s, stop at {stopped_after_s:.2f} s", flush=True)
        played = await play(server, victims, killed_after_s, stopped_after_s)
        played.left_at_s = time.time()
        await server.leave(played.clapper)
        recording = await recording_in(server, played.room)
        check_start(played, recording, victims)
        if recording is not None:
            ended = await server.ended(recording["id"], within_s=60)
            assert ended["status"] == "STOPPED" or not played.had_media, (played, ended, server.log())
            if ended["status"] == "STOPPED":
                film = await server.film(ended["id"])
                check_loss(played, ended, film)
                offsets += check_sound(played, ended, film)
        await check_room_records_again(server, played.room)
    if len(offsets) >= ENOUGH_FOR_AN_AVERAGE:
        median_s = float(np.median(offsets))
        print(f"sound after picture: {1000 * median_s:+.0f} ms in {len(offsets)} seconds")
        assert abs(median_s) <= SOUND_AFTER_PICTURE_ON_AVERAGE_S


async def play(
    server: RecordingServer, victims: tuple[str, ...], killed_after_s: float, stopped_after_s: float
) -> Round:
    """Start a recording, stop it if it comes to that, and kill the victims; the server is there again afterwards."""
    room = await server.create_room()
    look = Look((20, 20, 20), (320, 180), flashes=True)
    clapper = await server.join(room, "clapper", look=look, sound=beep_each_second, fps=50)
    played = Round(room, clapper)
    starting = asyncio.ensure_future(server.request("POST", "/recordings", {"roomName": room}))
    await asyncio.sleep(min(killed_after_s, stopped_after_s))
    played.shown = await recording_in(server, room)
    if stopped_after_s < killed_after_s and played.shown is not None and played.shown["status"] != "FAILED":
        await server.stop_recording(played.shown["id"])
        played.stopped_at_s = time.time()
        await asyncio.sleep(min(killed_after_s - stopped_after_s, 1.0))
        played.shown = await recording_in(server, room)
    if played.shown is not None:
        played.state = server.recorder_state(played.shown["id"])
    if "recorder" in victims and kill(played.state):
        played.recorder_killed_at_s = time.time()
    if "server" in victims:
        played.server_killed_at_s = time.time()
        await server.restart(signal.SIGKILL)
    (outcome,) = await asyncio.gather(starting, return_exceptions=True)
    if isinstance(outcome, Response):
        played.response = outcome
    else:
        assert isinstance(outcome, aiohttp.ClientError), outcome
    return played


async def recording_in(server: RecordingServer, room: str) -> dict[str, Any] | None:
    response = await server.request("GET", "/recordings?maxItems=1")
    assert response.status == 200, response
    return next((dict(each) for each in response.body if each["roomName"] == room), None)


def kill(state: RecorderState | None) -> bool:
    """Kill a recorder that has said that it lives; return whether it still wrote its file then."""
    if state is None or state.phase is RecorderPhase.DONE:
        return False
    try:
        os.kill(state.pid, signal.SIGKILL)
    except ProcessLookupError:  # it finished between its state and the signal
        return False
    return True


def check_start(played: Round, recording: dict[str, Any] | None, victims: tuple[str, ...]) -> None:
    """The start was answered by what became of the recording; only a server that died owes an answer."""
    if played.response is None:
        assert "server" in victims
        return
    assert recording is not None, played
    expected = {200} if played.had_media and played.stopped_at_s is None else {200, 409, 503}
    assert played.response.status in expected, played
    assert played.response.status != 409 or played.stopped_at_s is not None, played
    assert played.response.status != 503 or played.recorder_killed_at_s is not None, played


def check_loss(played: Round, ended: dict[str, Any], film: Film) -> None:
    """The file has what was said to be on the disk, and reaches the end but for a bounded loss."""
    assert len(film.times) > 0
    assert abs(film.duration_s - ended["duration"]) <= DURATION_DIFFERS_S, (film.duration_s, ended)
    if played.state is not None:
        assert film.duration_s >= played.state.duration_s - DURATION_DIFFERS_S, (played, film.duration_s)
    lost_s = played.recorded_until_s - ended["startedAt"] / 1000 - film.duration_s
    was_killed = played.recorder_killed_at_s is not None
    print(f"  {film.duration_s:.2f} s recorded, {lost_s:+.2f} s lost", flush=True)
    assert lost_s <= (LOST_BY_A_KILL_S if was_killed else LOST_OTHERWISE_S), (played, ended)


def check_sound(played: Round, ended: dict[str, Any], film: Film) -> list[float]:
    """Sound and picture are together up to the crash; returns the offsets."""
    until_s = min(played.recorded_until_s - ended["startedAt"] / 1000, film.duration_s) - 0.2
    offsets = sound_after_picture_s(film, played.clapper, started_at_ms=ended["startedAt"], until_s=until_s)
    if len(offsets) >= ENOUGH_FOR_A_ROUND:
        assert abs(float(np.median(offsets))) <= SOUND_AFTER_PICTURE_S, offsets
    return [float(offset) for offset in offsets]


async def check_room_records_again(server: RecordingServer, room: str) -> None:
    participant = await server.join(room, "Bob")
    again = await server.start_recording(room)
    await server.stop_recording(again)
    assert (await server.ended(again))["status"] == "STOPPED"
    await server.leave(participant)


async def test_server_stopped_and_recorder_goes_on(start_server: StartServer) -> None:
    await recorder_outlives_server(await start_server(), signal.SIGTERM)


async def test_recorder_killed_while_it_starts(start_server: StartServer) -> None:
    server = await start_server()
    room = await server.create_room()
    await server.join(room)
    starting = asyncio.ensure_future(server.request("POST", "/recordings", {"roomName": room}))
    recordings = server.data_dir / "data" / "recordings"
    state = await until_found("a recorder's first state", lambda: next(recordings.glob("rec-*/state.json"), None))
    await server.kill_recorder(state.parent.name)
    response = await starting
    assert (response.status, response.body["code"]) == (503, "recording_failed"), response
    assert (await server.recording(state.parent.name))["status"] == "FAILED"
    assert await server.start_recording(room)
