"""The ring round who speaks: real SDK clients speak in turn, and the frames of the MP4 are looked at."""

import numpy as np
import pytest

from recorder_process.conftest import StartRecorder
from support.film import Film, is_like
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, RATE, Look, Publisher, Sound, in_meeting, silence, tone
from tertulia_recorder.drawing.compositor import SPEAKING_RGB
from tertulia_recorder.drawing.layout import Rect

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180), pytest.mark.measures_time]

LEFT, RIGHT = Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)
SCALE = 1280 // 320


def words(frequency_hz: float) -> Sound:
    """Soft sound and as much silence, in turn: a media server says at each pause that it is over."""
    speak = tone(frequency_hz, volume=0.05)
    turn = RATE * 6 // 10
    return lambda start, count: speak(start, count) * (np.arange(start, start + count) // turn % 2)


def has_ring(frame: np.ndarray, tile: Rect) -> bool:
    """Look at the outermost pixels of a tile, at the height of its middle: only the ring has much blue."""
    middle, left = (tile.y + tile.h // 2) // SCALE, tile.x // SCALE
    return bool(frame[middle - 20 : middle + 20, left, 2].mean() > 110)


@pytest.mark.both_media_servers
async def test_a_ring_is_round_who_speaks_through_pauses_and_goes_when_it_is_over(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    red = Publisher(shared_server, room, "red", look=Look(COLOURS["red"]), sound=words(400))
    green = Publisher(shared_server, room, "green", look=Look(COLOURS["green"]))
    async with in_meeting(red, green):
        recorder = await record(shared_server, room)
        await recorder.until_visible(LEFT, COLOURS["red"])
        await recorder.until_visible(RIGHT, COLOURS["green"])
        rings_s = await recorder.until_film(lambda film: has_ring(film.rgb[-1], LEFT))
        await recorder.until_recorded(rings_s + 3)
        red.sound, green.sound = silence, tone(700)
        turn_s = await recorder.until_film(lambda film: has_ring(film.rgb[-1], RIGHT))
        over_s = await recorder.until_film(lambda film: not has_ring(film.rgb[-1], LEFT))
        await recorder.until_recorded(over_s + 1)
        await recorder.stop()
    film = Film(recorder.file)

    def frames(start_s: float, end_s: float) -> np.ndarray:
        return film.rgb[(film.times > start_s) & (film.times < end_s)]

    while_speaking = frames(rings_s, rings_s + 3)
    assert len(while_speaking) > 60
    assert all(has_ring(frame, LEFT) for frame in while_speaking), "it does not flicker in the pauses"
    assert not any(has_ring(frame, RIGHT) for frame in while_speaking), "nobody else has one"
    assert over_s - turn_s < 3
    afterwards = frames(over_s + 0.1, over_s + 1)
    assert all(has_ring(frame, RIGHT) and not has_ring(frame, LEFT) for frame in afterwards)
    end = Film(recorder.file, width=1280, last_s=0.5)
    assert is_like(end.rgb[-1][340:380, 640:643].reshape(-1, 3).mean(axis=0), SPEAKING_RGB, 15), "the page's colour"
    assert is_like(end.rgb[-1][340:380, 0:3].reshape(-1, 3).mean(axis=0), COLOURS["red"], 15), "the picture is whole"
