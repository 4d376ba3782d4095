"""How a recording ends: on request, by itself, by limits, and by every kind of crash."""

import asyncio
import contextlib
import os
import random
import resource
import time
from pathlib import Path

import pytest
from livekit import api

from recorder_process.conftest import StartRecorder
from support.film import Film, is_like
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone
from support.recorder_process import RecorderProcess
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.job import STOP_ATTRIBUTE, STOP_FILE, EndReason, RecorderPhase
from tertulia_recorder.repair.mp4 import is_finalised
from tertulia_recorder.repair.recovery import recover

HALVES = (Rect(0, 0, 640, 720), Rect(640, 0, 640, 720))
"""In one of them is the middle of a tile, whether there is one or two."""

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]


def publisher(server: MediaServerProcess, room: str) -> Publisher:
    return Publisher(server, room, "first", look=Look(COLOURS["green"], (320, 180)), sound=tone(440))


def decoded_s(recorder: RecorderProcess) -> float:
    """Decode the whole file; returns its length in seconds."""
    film = Film(recorder.file)
    assert len(film.times) > 0
    assert len(film.sound) > 0
    return film.duration_s


async def test_a_stop_file_stops(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    async with in_meeting(publisher(shared_server, room)):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(1)
        (recorder.folder / STOP_FILE).touch()
        state = await recorder.ended()
    assert state.reason is EndReason.STOPPED
    assert decoded_s(recorder) == pytest.approx(state.duration_s, abs=0.1)
    assert state.bytes == recorder.file.stat().st_size
    assert not recorder.part.exists()


async def test_a_stop_while_joining_leaves_nothing(own_server: MediaServerProcess, room: str, record: StartRecorder):
    await own_server.kill()
    recorder = await record(own_server, room)
    await recorder.until(lambda s: s.phase is RecorderPhase.JOINING)
    state = await recorder.stop()
    assert state.reason is EndReason.STOPPED
    assert state.file_name is None


@pytest.mark.both_media_servers
async def test_the_media_servers_api_stops_and_no_participant_does(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    """(issue 10) The worker may be away. What was recorded since the stop, which is told 1.5 s late, is cut."""
    ann = publisher(shared_server, room)
    await ann.join(can_update_own_metadata=True)
    try:
        recorder = await record(shared_server, room)
        await recorder.until_recorded(2)
        await ann.room.local_participant.set_attributes({STOP_ATTRIBUTE: "0"})
        recorded_s = (await recorder.until_recorded(4)).duration_s
        async with shared_server.api() as client:
            await client.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity="recorder-0", attributes={STOP_ATTRIBUTE: "1.5"})
            )
        state = await recorder.ended(15)
    finally:
        await ann.leave()
    assert state.reason is EndReason.STOPPED
    assert recorded_s - 1.6 < state.duration_s < recorded_s + 1
    assert decoded_s(recorder) == pytest.approx(state.duration_s, abs=0.1)
    assert is_finalised(recorder.file)


@pytest.mark.both_media_servers
async def test_what_cannot_be_joined_fails_with_a_reason_and_without_the_token(
    own_server: MediaServerProcess, room: str, record: StartRecorder
):
    wrong = api.AccessToken("devkey", "another-secret-0123456789abcdef0123456789").to_jwt()
    recorder = await record(own_server, room, token=wrong, start_timeout_s=3)
    state = await recorder.ended(30)
    assert state.reason is EndReason.START_FAILED
    assert "could not be joined" in state.details[0]
    assert recorder.process.returncode == 1
    assert wrong not in recorder.log()
    assert wrong not in state.to_json()


@pytest.mark.both_media_servers
async def test_an_empty_meeting_ends_by_itself(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    async with in_meeting(publisher(shared_server, room), microphone=False):
        recorder = await record(shared_server, room, empty_timeout_s=2)
        await recorder.until_recorded(4)
    left = time.monotonic()
    state = await recorder.ended()
    assert state.reason is EndReason.EMPTY
    assert time.monotonic() - left > 1.5
    assert decoded_s(recorder) > 5


@pytest.mark.both_media_servers
async def test_closing_the_room_ends_it_at_once(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    async with in_meeting(publisher(shared_server, room)):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(1)
        async with shared_server.api() as client:
            await client.room.delete_room(api.DeleteRoomRequest(room=room))
        state = await recorder.ended(15)
    assert state.reason is EndReason.ROOM_CLOSED
    assert decoded_s(recorder) > 1


async def test_limits_of_time_size_and_disk(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    async with in_meeting(publisher(shared_server, room)):
        by_time = await record(shared_server, room, max_duration_s=3)
        by_size = await record(shared_server, room, max_bytes=60_000)
        by_disk = await record(shared_server, room, min_free_bytes=10**18)
        states = [await recorder.ended() for recorder in (by_time, by_size, by_disk)]
    reasons = [EndReason.LIMIT_DURATION, EndReason.LIMIT_SIZE, EndReason.LIMIT_DISK]
    assert [state.reason for state in states] == reasons
    assert decoded_s(by_time) == pytest.approx(3, abs=1.5)
    assert 20_000 < by_size.file.stat().st_size < 120_000
    assert decoded_s(by_disk) > 0
    assert all(is_finalised(recorder.file) for recorder in (by_time, by_size, by_disk))


async def test_a_disk_that_is_full_keeps_what_was_written(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    """By RLIMIT_FSIZE: every write beyond 150 kB fails, that of the index too."""

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    async with in_meeting(publisher(shared_server, room)):
        recorder = await record(shared_server, room, process={"preexec_fn": small_disk})
        state = await recorder.ended()
    assert state.reason is EndReason.LIMIT_DISK
    assert state.file_name == "meeting.mp4"
    assert state.needs_remux
    written = decoded_s(recorder)
    assert written > 1
    state = recover(recorder.folder)
    assert not state.needs_remux
    assert is_finalised(recorder.file)
    assert decoded_s(recorder) == pytest.approx(written, abs=0.3)


async def test_killed_at_any_instant_all_that_the_state_reported_is_there(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    killed: list[RecorderProcess] = []
    async with in_meeting(publisher(shared_server, room)):
        for _ in range(3):
            recorder = await record(shared_server, room)
            state = await recorder.until_recording()
            assert state.started_at_ms is not None
            await asyncio.sleep(random.uniform(0.2, 4))
            await recorder.kill()
            killed.append(recorder)
    for recorder in killed:
        reported = recorder.state()
        began = time.monotonic()
        state = recover(recorder.folder)
        assert time.monotonic() - began < 5
        assert state.reason is EndReason.CRASHED
        # Not by the time of day: how far a recorder is by then depends on the machine. That the file holds all that it
        # has written but the last second is tested in virtual time (`test_what_was_written_is_in_the_file`).
        assert reported is not None
        assert reported.duration_s > 0
        assert decoded_s(recorder) > reported.duration_s - 0.1
        assert is_finalised(recorder.file)
        assert state.bytes == recorder.file.stat().st_size


@pytest.mark.both_media_servers
async def test_after_a_restart_of_the_media_server_the_same_file_goes_on(
    own_server: MediaServerProcess, room: str, record: StartRecorder
):
    first = publisher(own_server, room)
    await first.join()
    recorder = await record(own_server, room, empty_timeout_s=40)
    recorded_s = (await recorder.until_recorded(2)).duration_s
    await own_server.kill()
    await recorder.until_recorded(recorded_s + 1)
    await own_server.start()
    second = Publisher(own_server, room, "second", look=Look(COLOURS["yellow"], (320, 180)), sound=tone(900))
    async with in_meeting(second):
        visible_s = await recorder.until_film(
            lambda film: any(is_like(film.colour_at(film.times[-1], half), COLOURS["yellow"]) for half in HALVES)
        )
        assert second.room.is_recording
        await recorder.until_recorded(visible_s + 2)
        state = await recorder.stop()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(first.leave(), 5)
    assert state.reason is EndReason.STOPPED
    film = Film(recorder.file)
    assert film.loudness(440, 0.8, 1.8) > 0.06
    assert film.loudness(900, film.duration_s - 1.5, film.duration_s - 0.3) > 0.06
    assert film.duration_s == pytest.approx(state.duration_s, abs=0.1)
    # By the time of day: the file must be as long as the meeting was, the interruption included.
    assert state.started_at_ms is not None
    assert state.ended_at_ms is not None
    assert film.duration_s == pytest.approx((state.ended_at_ms - state.started_at_ms) / 1000, abs=0.3)


async def test_a_media_server_that_does_not_return_ends_it_like_an_empty_meeting(
    own_server: MediaServerProcess, room: str, record: StartRecorder
):
    first = publisher(own_server, room)
    await first.join()
    recorder = await record(own_server, room, empty_timeout_s=3)
    await recorder.until_recorded(2)
    await own_server.kill()
    state = await recorder.ended()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(first.leave(), 5)
    assert state.reason is EndReason.CONNECTION_LOST
    assert decoded_s(recorder) > 2


async def test_it_outlives_the_process_that_started_it(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, tmp_path: Path
):
    """It has a session of its own: signals to the process group of its parent do not reach it."""
    async with in_meeting(publisher(shared_server, room)):
        recorder = await record(shared_server, room)
        state = await recorder.until_recording()
        assert os.getsid(state.pid) == state.pid
        assert os.getsid(0) != state.pid
        await recorder.stop()
