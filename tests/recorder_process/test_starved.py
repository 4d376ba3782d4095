"""A recorder that gets no time for a while, as on a machine that has too much to do."""

import asyncio
import signal

import numpy as np
import pytest

from recorder_process.conftest import StartRecorder
from support.film import Film
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

HELD_UP_S = 0.8
TIMES = 4


async def test_no_sound_is_lost_however_late_it_is_looked_at(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    person = Publisher(shared_server, room, "person", look=Look(COLOURS["blue"], (320, 180)), sound=tone(500))
    async with in_meeting(person):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(3)
        for _ in range(TIMES):
            recorder.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(HELD_UP_S)
            recorder.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(1)
        held_up_until_s = (await recorder.until_recorded(3 + TIMES * (1 + HELD_UP_S))).duration_s
        await recorder.until_recorded(held_up_until_s + 2)
        state = await recorder.stop()
    assert state.metrics.audio_lost_s == 0
    film = Film(recorder.file)
    levels = [film.loudness(500, at, at + 0.2) for at in np.arange(2, film.duration_s - 0.5, 0.1)]
    assert min(levels) > 0.06
