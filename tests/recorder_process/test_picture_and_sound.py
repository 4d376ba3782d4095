"""What is in the file: real people publish, the MP4 is decoded and looked at."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from recorder_process.conftest import StartRecorder
from support.film import Film, is_like
from support.media_server_process import MediaServerProcess
from support.publisher import COLOURS, Look, Publisher, beep_each_second, in_meeting, tone
from tertulia_recorder.drawing.layout import Rect
from tertulia_recorder.job import EndReason, RecordingPreset
from tertulia_recorder.repair.mp4 import is_finalised

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

LEFT, RIGHT = Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)
WHOLE = Rect(0, 0, 1280, 720)


def person(server: MediaServerProcess, room: str, colour: str, frequency_hz: float = 440, **how: object) -> Publisher:
    look = Look(COLOURS[colour])
    return Publisher(server, room, colour, look=look, sound=tone(frequency_hz), **how)  # type: ignore[arg-type]


def lit(film: Film) -> np.ndarray:
    """Mean lightness of each frame; a flash of black would show."""
    return film.rgb.reshape(len(film.rgb), -1).mean(1)


def nearest(times: np.ndarray, wanted: float) -> float:
    return float(times[np.argmin(np.abs(times - wanted))])


@pytest.mark.both_media_servers
async def test_everyone_is_seen_and_heard_in_their_place_and_time(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    """The picture: a tile for everyone who may publish (placeholder with the name while the camera is off), none for
    viewers and hidden participants."""
    red, green = person(shared_server, room, "red", 400), person(shared_server, room, "green", 700)
    viewer = Publisher(shared_server, room, "viewer")
    async with in_meeting(red):
        recorder = await record(shared_server, room)
        await viewer.join(camera=False, microphone=False, can_publish=False)
        state = await recorder.until_recorded(3)
        begin_ms, begin = state.started_at_ms, time.time()
        assert begin_ms is not None
        await green.join()
        joined_s = time.time() - begin_ms / 1000
        await asyncio.sleep(5)
        assert viewer.room.is_recording, "everyone is told by the media server's own flag"
        await green.leave()
        left_s = time.time() - begin_ms / 1000
        await asyncio.sleep(3.5)
        asked = time.monotonic()
        state = await recorder.stop()
        assert time.monotonic() - asked < 5
        await viewer.leave()
    assert begin - begin_ms / 1000 < 20
    assert state.reason is EndReason.STOPPED
    film = Film(recorder.file)
    film.save_frame((joined_s + left_s) / 2, artefacts / "two-people.png")
    assert is_finalised(recorder.file)
    assert state.ended_at_ms is not None
    assert film.duration_s == pytest.approx((state.ended_at_ms - begin_ms) / 1000, abs=0.2)
    assert is_like(film.colour_at(joined_s - 0.7, WHOLE), COLOURS["red"])
    together = joined_s + 3.0
    assert is_like(film.colour_at(together, LEFT), COLOURS["red"])
    assert is_like(film.colour_at(together, RIGHT), COLOURS["green"])
    assert is_like(film.colour_at(left_s + 2.5, WHOLE), COLOURS["red"])
    # Of 0.25; a busy machine makes holes in what the publishers send.
    assert film.loudness(400, together, together + 1) > 0.06
    assert film.loudness(700, together, together + 1) > 0.06
    assert film.loudness(700, 1, 2) < 0.01
    assert film.loudness(700, left_s + 1.5, left_s + 2.5) < 0.01
    assert lit(film).min() > 15, "no flash of black"
    assert state.metrics.audio_lost_s == 0


async def test_pictures_go_on_and_nothing_freezes(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    red = Publisher(shared_server, room, "red", look=Look(COLOURS["red"], (1280, 720)), fps=25)
    async with in_meeting(red, microphone=False):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(6)
        await recorder.stop()
    film = Film(recorder.file)
    numbers = np.array(film.counters(WHOLE))
    assert (np.diff(numbers) >= 0).mean() > 0.95, "frames come in their order"
    assert len(set(numbers[5:])) > 6 * 25 * 0.4, "most of the publisher's pictures are in the file"
    changes = film.times[1:][np.diff(numbers) != 0]
    assert np.diff(changes).max() < 1.5, "no frozen stretch"
    rate = (numbers[-1] - numbers[5]) / (film.times[-1] - film.times[5])
    assert rate == pytest.approx(25, rel=0.1), "time runs as it did"


@pytest.mark.both_media_servers
async def test_flash_and_beep_come_together(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    look = Look((20, 20, 20), (320, 180), flashes=True)
    clapper = Publisher(shared_server, room, "clapper", look=look, sound=beep_each_second, fps=50)
    async with in_meeting(clapper):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(9)
        state = await recorder.stop()
    film = Film(recorder.file)
    bright = film.rgb[:, film.rgb.shape[1] // 3 :].reshape(len(film.rgb), -1).mean(1) > 100
    flashes = film.times[1:][bright[1:] & ~bright[:-1]]
    loud = np.abs(film.sound).reshape(-1)[: len(film.sound) // 240 * 240].reshape(-1, 240).max(1) > 0.15
    beeps = np.flatnonzero(loud[1:] & ~loud[:-1]) * 240 / 48_000
    # On a busy machine the publisher is late itself, with either: what it did is what shall be in the file.
    assert state.started_at_ms is not None
    begin = state.started_at_ms / 1000 - time.time() + time.monotonic()
    offsets = []
    for flash in flashes[flashes > 1.5]:
        flashed, beeped = (nearest(np.array(at) - begin, flash) for at in (clapper.flashed_at_s, clapper.beeped_at_s))
        offsets.append((nearest(beeps, flash) - flash) - (beeped - flashed))
    assert len(offsets) >= 4
    assert abs(float(np.median(offsets))) < 0.06, offsets


@pytest.mark.both_media_servers
async def test_a_meeting_in_motion(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    """Mute, unmute, republish with another codec, a new size every second, a shared screen: ordinary events."""
    red, green = person(shared_server, room, "red", 400), person(shared_server, room, "green", 700)
    async with in_meeting(red, green):
        recorder = await record(shared_server, room)
        state = await recorder.until_recorded(2)
        assert state.started_at_ms is not None
        began = state.started_at_ms / 1000
        assert red.camera is not None
        assert red.microphone is not None
        assert green.camera is not None
        red.camera.track.mute()  # type: ignore[union-attr]
        red.microphone.track.mute()  # type: ignore[union-attr]
        muted = time.time() - began
        for size in ((320, 180), (640, 480), (180, 320), (641, 361)):
            green.look.size = size
            await asyncio.sleep(1)
        resized = time.time() - began
        red.camera.track.unmute()  # type: ignore[union-attr]
        red.microphone.track.unmute()  # type: ignore[union-attr]
        await green.unpublish(green.camera, "camera")
        green.codec, green.look = rtc.VideoCodec.H264, Look(COLOURS["blue"])
        await green.publish_camera()
        await asyncio.sleep(5)
        republished = time.time() - began
        await red.publish_screen(Look(COLOURS["yellow"], (1280, 720)))
        await asyncio.sleep(4)
        shared = time.time() - began
        state = await recorder.stop()
    film = Film(recorder.file)
    film.save_frame(muted + 2, artefacts / "camera-off.png")
    film.save_frame(shared - 0.2, artefacts / "shared-screen.png")
    before_sharing = republished - 0.2
    film.save_frame(before_sharing, artefacts / "republished.png")
    tiles = (film.colour_at(muted + 2, LEFT), film.colour_at(muted + 2, RIGHT))
    assert not any(is_like(t, COLOURS["red"]) for t in tiles), "a camera that is off is not seen"
    assert film.loudness(400, muted + 1.5, muted + 3) < 0.01
    assert film.loudness(700, muted + 1.5, muted + 3) > 0.06
    now = [film.colour_at(before_sharing, t) for t in (LEFT, RIGHT)]
    assert any(is_like(t, COLOURS["red"]) for t in now)
    assert any(is_like(t, COLOURS["blue"]) for t in now), "H.264 after VP8"
    assert film.loudness(400, republished - 1, republished) > 0.06
    assert is_like(film.colour_at(shared - 0.2, Rect(0, 0, 1024, 720)), COLOURS["yellow"])
    assert lit(film).min() > 15
    assert film.duration_s > resized
    assert state.reason is EndReason.STOPPED


@pytest.mark.both_media_servers
async def test_one_who_reconnects_keeps_their_tile(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    red, green = person(shared_server, room, "red"), person(shared_server, room, "green")
    async with in_meeting(red, green):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(4)
        await red.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        before = recorder.state()
        assert before is not None
        await recorder.until_recorded(before.duration_s + 5)
        await recorder.stop()
    film = Film(recorder.file)
    for second in np.arange(3.5, film.duration_s - 0.5, 0.25):
        colours = [film.colour_at(second, tile) for tile in (LEFT, RIGHT)]
        assert any(is_like(c, COLOURS["green"]) for c in colours), f"green is in place at {second}"
    colours = [film.colour_at(film.duration_s - 0.3, tile) for tile in (LEFT, RIGHT)]
    assert any(is_like(c, COLOURS["red"]) for c in colours)


HOSTILE = (
    "<script>alert(1)</script>",
    "😀" * 128,
    "\u202egnp.exe\u202c",
    "Z\u0351\u036b\u0343" * 40,
    "محمد 李小龍 👩\u200d👩\u200d👧",
    "\x1b[2J\r\n",
)


async def test_hostile_names(shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path):
    people = [Publisher(shared_server, room, f"p{n}", name=name) for n, name in enumerate(HOSTILE)]
    async with in_meeting(*people, camera=False, microphone=False):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(2)
        state = await recorder.stop()
    assert state.reason is EndReason.STOPPED
    film = Film(recorder.file, width=1280)
    film.save_frame(1.5, artefacts / "hostile-names.png")
    assert film.duration_s > 1.8


async def test_sound_alone(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    async with in_meeting(person(shared_server, room, "red", 500)):
        recorder = await record(shared_server, room, preset=RecordingPreset.AUDIO)
        await recorder.until_recorded(4)
        state = await recorder.stop()
    film = Film(recorder.file)
    assert film.loudness(500, 1.5, 3.5) > 0.06
    assert state.metrics.frames_composed == 0
