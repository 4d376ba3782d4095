"""Every codec that a publisher may use is recorded."""

from pathlib import Path

import pytest
from livekit import rtc

from recorder_process.conftest import StartRecorder
from support.film import Film, is_like
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting
from tertulia_recorder.drawing.layout import Rect

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),
    pytest.mark.both_media_servers,
    pytest.mark.measures_time,
]

WHOLE = Rect(0, 0, 1280, 720)
CODECS = {
    "vp8": rtc.VideoCodec.VP8,
    "h264": rtc.VideoCodec.H264,
    "vp9": rtc.VideoCodec.VP9,
    "av1": rtc.VideoCodec.AV1,
}


@pytest.mark.parametrize("codec", CODECS)
async def test_a_picture_of_any_codec_is_recorded(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path, codec: str
):
    person = Publisher(shared_server, room, codec, look=Look(COLOURS["red"]))
    person.codec = CODECS[codec]
    async with in_meeting(person, microphone=False):
        recorder = await record(shared_server, room)
        visible_s = await recorder.until_visible(WHOLE, COLOURS["red"])
        await recorder.until_recorded(visible_s + 3)
        await recorder.stop()
    film = Film(recorder.file)
    film.save_frame(visible_s + 2, artefacts / f"{codec}-{shared_server.kind}.png")
    assert is_like(film.colour_at(visible_s + 2, WHOLE), COLOURS["red"])
    numbers = film.counters(WHOLE)
    assert len(set(numbers[60:])) > 20, "it moves"
