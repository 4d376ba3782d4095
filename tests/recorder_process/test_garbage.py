"""Media that cannot be decoded: announced as encrypted, or not announced at all. Other tracks are not affected."""

from pathlib import Path

import numpy as np
import pytest

from recorder_process.conftest import StartRecorder
from support.encryption_relay import hidden_encryption
from support.film import Film, is_like
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.job import EndReason
from tertulia_recorder.repair.mp4 import is_finalised

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),
    pytest.mark.both_media_servers,
    pytest.mark.measures_time,
]

PLAIN, ENCRYPTED = Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)
GARBAGE_S, CLEAN_S = 5, 6


def plain(server: MediaServerProcess, room: str) -> Publisher:
    return Publisher(server, room, "plain", look=Look(COLOURS["green"]), sound=tone(700))


def encrypting(server: MediaServerProcess, room: str) -> Publisher:
    key = b"a key that the recorder does not have"
    return Publisher(server, room, "encrypting", look=Look(COLOURS["red"]), sound=tone(400), key=key)


async def test_what_is_encrypted_end_to_end_is_not_recorded(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    """Its sound would be loud noise. The participant's tile is there."""
    async with in_meeting(plain(shared_server, room), encrypting(shared_server, room)):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(4)
        state = await recorder.stop()
    assert state.reason is EndReason.STOPPED
    assert any("encrypted" in each for each in state.details)
    film = Film(recorder.file)
    assert is_like(film.colour_at(2, PLAIN), COLOURS["green"])
    assert not is_like(film.colour_at(2, ENCRYPTED), COLOURS["red"])
    assert film.loudness(700, 1, 3.5) > 0.06
    assert np.abs(film.sound).max() < 0.4, "one tone of 0.25, and no noise"


async def test_garbage_affects_no_other_track(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    """VP8 and Opus by their announcement, random bits by their content, in the middle of a recording."""
    async with hidden_encryption(shared_server) as relayed, in_meeting(plain(shared_server, room)):
        bad = encrypting(relayed, room)
        await bad.join(camera=False, microphone=False)
        bad.room.e2ee_manager.set_enabled(False)
        await bad.publish_camera()
        await bad.publish_microphone()
        recorder = await record(shared_server, room)
        begun = (await recorder.until_recorded(4)).duration_s
        bad.room.e2ee_manager.set_enabled(True)
        await recorder.until_recorded(begun + GARBAGE_S)
        bad.room.e2ee_manager.set_enabled(False)
        await recorder.until_recorded(begun + GARBAGE_S + CLEAN_S)
        state = await recorder.stop()
        await bad.leave()
    assert state.reason is EndReason.STOPPED
    assert state.metrics.audio_lost_s == 0
    film = Film(recorder.file)
    film.save_frame(begun + GARBAGE_S, artefacts / "garbage.png")
    assert is_finalised(recorder.file)
    assert state.ended_at_ms is not None
    assert state.started_at_ms is not None
    assert film.duration_s == pytest.approx((state.ended_at_ms - state.started_at_ms) / 1000, abs=0.3)
    for second in np.arange(2, film.duration_s - 0.5, 0.5):
        assert is_like(film.colour_at(second, PLAIN), COLOURS["green"]), second
        assert film.loudness(700, second, second + 0.5) > 0.06, second
    assert is_like(film.colour_at(3, ENCRYPTED), COLOURS["red"])
    middle = begun + 2
    assert film.loudness(400, middle, middle + 2) < 0.06, "it was garbage"
    # A picture is right again with the next key frame only: random bits are a valid VP8 frame for most decoders.
    assert film.loudness(400, film.duration_s - 1.3, film.duration_s - 0.3) > 0.06, "it can be heard again"
