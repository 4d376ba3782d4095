"""A recorder that is not scheduled for a while, as on an overloaded machine."""

import asyncio
import signal

import numpy as np
import pytest

from recorder_process.conftest import StartRecorder
from support.film import Film
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180), pytest.mark.measures_time]

STOPPED_S = 0.8
TIMES = 4


async def test_no_sound_is_lost_however_late_it_is_decoded(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    person = Publisher(shared_server, room, "person", look=Look(COLOURS["blue"], (320, 180)), sound=tone(500))
    async with in_meeting(person):
        recorder = await record(shared_server, room)
        recorded_s = (await recorder.until_recorded(3)).duration_s
        for _ in range(TIMES):
            recorder.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(STOPPED_S)  # the condition itself: no event ends it
            recorder.process.send_signal(signal.SIGCONT)
            recorded_s = (await recorder.until_recorded(recorded_s + 1 + STOPPED_S)).duration_s
        await recorder.until_recorded(recorded_s + 2)
        state = await recorder.stop()
    assert state.metrics.audio_lost_s == 0
    film = Film(recorder.file)
    levels = [film.loudness(500, at, at + 0.2) for at in np.arange(2, film.duration_s - 0.5, 0.1)]
    assert min(levels) > 0.06
