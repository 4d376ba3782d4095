"""A bad network between the recorder and its media server."""

from pathlib import Path

import numpy as np
import pytest

from recorder_process.conftest import StartRecorder
from support.film import Film, is_like
from support.lossy_link import lossy_link
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.job import EndReason

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180), pytest.mark.measures_time]

WHOLE = Rect(0, 0, 1280, 720)
LOSS = 0.05


async def test_a_twentieth_of_the_packets_is_lost_and_nothing_freezes(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    """Pictures are sent again; a lost packet of sound is 20 ms of silence, and time does not move.

    Only with our media server: livekit-server finds a path of its own, which loses nothing.
    """
    person = Publisher(shared_server, room, "person", look=Look(COLOURS["green"], (640, 360)), sound=tone(500))
    async with in_meeting(person), lossy_link(shared_server, LOSS) as (relayed, link):
        recorder = await record(relayed, room)
        await recorder.until_recorded(10)
        await recorder.stop()
    film = Film(recorder.file)
    film.save_frame(8, artefacts / f"loss-{shared_server.kind}.png")
    assert link.lost > 20, "this test needs a link that loses packets"
    numbers = np.array(film.counters(WHOLE))[60:]
    times = film.times[60:]
    changes = times[1:][np.diff(numbers) != 0]
    assert np.diff(changes).max() < 1.5, "nothing freezes"
    assert (np.diff(numbers) >= 0).mean() > 0.95, "frames keep their order"
    for second in np.arange(2, film.duration_s - 1, 0.5):
        assert is_like(film.colour_at(second, WHOLE), COLOURS["green"]), second
        assert film.loudness(500, second, second + 0.5) > 0.06, second


async def test_a_media_port_that_is_closed_is_reported(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    async with lossy_link(shared_server, LOSS) as (relayed, link):
        link.close()
        recorder = await record(relayed, room, start_timeout_s=12)
        state = await recorder.ended(40)
    assert state.reason is EndReason.START_FAILED
    assert "UDP" in state.details[0]
