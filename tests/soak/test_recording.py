"""What is too long for every day: many kills, many minutes. `make soak`."""

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
from tertulia.domain.ids import RecordingId, RoomName
from tertulia_recorder.job import EndReason, RecorderJob
from tertulia_recorder.repair.mp4 import is_finalised
from tertulia_recorder.repair.recovery import recover

KILLS = int(os.environ.get("SOAK_ROUNDS", "40"))
MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))

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
    async with in_meeting(Publisher(server, "soak", "a", look=Look(COLOURS["green"], (320, 180)), sound=tone(440))):
        lost_s: list[float] = []
        for number in range(KILLS):
            token = server.recorder_token("soak", f"recorder-{number}")
            recorder = await RecorderProcess.start(tmp_path / str(number), job(server), token)
            state = await recorder.until_recording()
            assert state.started_at_ms is not None
            await asyncio.sleep(random.uniform(0, 6))
            lived = time.time() - state.started_at_ms / 1000
            await recorder.kill()
            recovered = recover(recorder.folder)
            assert recovered.reason is EndReason.CRASHED
            lost_s.append(lived - recovered.duration_s)
            print(f"killed {number} after {lived:.2f} s: {lost_s[-1]:.2f} s lost")
            assert is_finalised(recorder.file)
            assert len(Film(recorder.file).times) > 0
    print(f"{KILLS} kills: {max(lost_s):.2f} s lost at most, {sum(lost_s) / KILLS:.2f} s on average")
    # By the time of day, so only where the machine keeps up.
    assert max(lost_s) < 2.0


async def test_sound_and_picture_stay_together_and_memory_stays_flat(server: MediaServerProcess, tmp_path: Path):
    look = Look((20, 20, 20), (320, 180), flashes=True)
    async with in_meeting(Publisher(server, "soak", "clapper", look=look, sound=beep_each_second, fps=50)):
        recorder = await RecorderProcess.start(tmp_path / "long", job(server), server.recorder_token("soak"))
        early = await recorder.until_recorded(60)
        await recorder.until(lambda s: s.duration_s >= MINUTES * 60, timeout_s=MINUTES * 60 + 120)
        state = await recorder.stop()
    assert state.metrics.audio_lost_s == 0
    assert state.metrics.max_memory_bytes < early.metrics.max_memory_bytes * 1.15
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
    assert abs(begin) < 0.06
    assert abs(end - begin) < 0.03
