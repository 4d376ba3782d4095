"""Many kills and many minutes of one recorder: too long for every day. `make soak`."""

import asyncio
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

from support.film import Film
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, beep_each_second, in_meeting, tone
from support.recorder_process import RecorderProcess
from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import EndReason, RecorderJob
from tertulia_recorder.repair.mp4 import is_finalised
from tertulia_recorder.repair.recovery import recover

KILLS = int(os.environ.get("SOAK_ROUNDS", "40"))
MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
MAX_LOSS_S = 2.0
"""What a kill may take, by the time of day: on a machine that keeps up."""
MAX_OFFSET_S, MAX_DRIFT_S = 0.040, 0.020
"""Sound against picture: at the start, and how much that may change."""
MAX_MEMORY_GROWTH = 1.15

pytestmark = pytest.mark.timeout(3600)


def job(server: MediaServerProcess) -> RecorderJob:
    return RecorderJob(
        recording_id=RecordingId("soak"), room_name=RoomName("soak"), media_url=server.url, file_name="meeting.mp4"
    )


@pytest.fixture
async def server(tmp_path: Path):
    running = MediaServerProcess(log=tmp_path / "media.log")
    await running.start()
    yield running
    await running.kill()


async def test_killed_at_random_instants(server: MediaServerProcess, tmp_path: Path):
    publisher = Publisher(server, "soak", "a", look=Look(COLOURS["green"], (320, 180)), sound=tone(440))
    async with in_meeting(publisher):
        lost_s: list[float] = []
        for number in range(KILLS):
            token = server.recorder_token("soak", f"recorder-{number}")
            recorder = await RecorderProcess.start(tmp_path / str(number), job(server), token)
            state = await recorder.until_recording()
            assert state.started_at_ms is not None
            await asyncio.sleep(random.uniform(0, 6))
            reported, ran_s = recorder.state(), time.time() - state.started_at_ms / 1000
            await recorder.kill()
            recovered = recover(recorder.folder)
            lost_s.append(ran_s - recovered.duration_s)
            print(f"killed {number} after {ran_s:.2f} s: {lost_s[-1]:.2f} s lost")
            assert recovered.reason is EndReason.CRASHED
            assert reported is not None
            assert recovered.duration_s > reported.duration_s - 0.1, "what the state reports is on the disk"
            assert lost_s[-1] < MAX_LOSS_S
            assert is_finalised(recorder.file)
            film = Film(recorder.file)
            assert film.duration_s == pytest.approx(recovered.duration_s, abs=0.05)
            assert film.times[-1] > recovered.duration_s - 0.2
            assert len(film.sound) / 48_000 > recovered.duration_s - 0.2
    print(f"{KILLS} kills: {max(lost_s):.2f} s lost at most, {sum(lost_s) / KILLS:.2f} s on average")


async def test_sound_and_picture_stay_together_and_memory_stays_flat(server: MediaServerProcess, tmp_path: Path):
    look = Look((20, 20, 20), (320, 180), flashes=True)
    async with in_meeting(Publisher(server, "soak", "clapper", look=look, sound=beep_each_second, fps=50)):
        recorder = await RecorderProcess.start(tmp_path / "long", job(server), server.recorder_token("soak"))
        early = await recorder.until_recorded(60)
        await recorder.until(lambda s: s.duration_s >= MINUTES * 60, timeout_s=MINUTES * 60 + 120)
        state = await recorder.stop()
    assert state.metrics.audio_lost_s == 0
    assert state.metrics.max_memory_bytes < early.metrics.max_memory_bytes * MAX_MEMORY_GROWTH
    film = Film(recorder.file, width=64)
    bright = film.rgb[:, film.rgb.shape[1] // 3 :].reshape(len(film.rgb), -1).mean(1) > 100
    flashes = film.times[1:][bright[1:] & ~bright[:-1]]
    loud = np.abs(film.sound)[: len(film.sound) // 240 * 240].reshape(-1, 240).max(1) > 0.15
    beeps = np.flatnonzero(loud[1:] & ~loud[:-1]) * 240 / 48_000
    offsets = np.array([beeps[np.argmin(np.abs(beeps - flash))] - flash for flash in flashes])
    begin, end = float(np.median(offsets[10:70])), float(np.median(offsets[-60:]))
    grown = state.metrics.max_memory_bytes / early.metrics.max_memory_bytes
    print(f"{MINUTES:g} min: sound {1000 * begin:+.0f} ms after the picture, {1000 * end:+.0f} at the end")
    print(f"memory × {grown:.2f}")
    assert abs(begin) < MAX_OFFSET_S
    assert abs(end - begin) < MAX_DRIFT_S
