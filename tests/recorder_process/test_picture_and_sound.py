"""The content of the file: real SDK clients publish, and the MP4 is decoded and measured."""

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

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180), pytest.mark.measures_time]

LEFT, RIGHT = Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)
WHOLE = Rect(0, 0, 1280, 720)
MAX_OFFSET_S = 0.040
"""Sound against picture: the goal."""


def person(server: MediaServerProcess, room: str, colour: str, frequency_hz: float = 440, **how: object) -> Publisher:
    look = Look(COLOURS[colour])
    return Publisher(server, room, colour, look=look, sound=tone(frequency_hz), **how)  # type: ignore[arg-type]


def lightness(film: Film) -> np.ndarray:
    """Mean lightness of each frame; a black flash would show."""
    return film.rgb.reshape(len(film.rgb), -1).mean(1)


def nearest(times: np.ndarray, wanted: float) -> float:
    return float(times[np.argmin(np.abs(times - wanted))])


@pytest.mark.both_media_servers
async def test_each_participant_is_seen_and_heard_in_place_and_time(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    """A tile for each participant who may publish, none for viewers and hidden participants."""
    red, green = person(shared_server, room, "red", 400), person(shared_server, room, "green", 700)
    viewer = Publisher(shared_server, room, "viewer")
    async with in_meeting(red):
        recorder = await record(shared_server, room)
        await viewer.join(camera=False, microphone=False, can_publish=False)
        alone = await recorder.until_recorded(3)
        assert alone.started_at_ms is not None
        started_s = alone.started_at_ms / 1000
        await green.join()
        joined_s = time.time() - started_s
        together_s = await recorder.until_visible(RIGHT, COLOURS["green"])
        await recorder.until_recorded(together_s + 3)
        assert viewer.room.is_recording, "all participants are told by the media server's own flag"
        await green.leave()
        left_s = time.time() - started_s
        alone_again_s = await recorder.until_visible(WHOLE, COLOURS["red"])
        await recorder.until_recorded(alone_again_s + 2)
        asked = time.monotonic()
        state = await recorder.stop()
        assert time.monotonic() - asked < 5
        await viewer.leave()
    assert joined_s < together_s < joined_s + 5
    assert left_s < alone_again_s < left_s + 5
    assert state.reason is EndReason.STOPPED
    film = Film(recorder.file)
    film.save_frame(together_s + 1, artefacts / "two-participants.png")
    assert is_finalised(recorder.file)
    assert state.ended_at_ms is not None
    assert film.duration_s == pytest.approx(state.ended_at_ms / 1000 - started_s, abs=0.2)
    assert is_like(film.colour_at(alone.duration_s - 0.3, WHOLE), COLOURS["red"])
    assert is_like(film.colour_at(together_s + 1, LEFT), COLOURS["red"])
    assert is_like(film.colour_at(together_s + 1, RIGHT), COLOURS["green"])
    # Of 0.25; a busy machine makes holes in what the publishers send.
    assert film.loudness(400, together_s + 1, together_s + 2) > 0.06
    assert film.loudness(700, together_s + 1, together_s + 2) > 0.06
    assert film.loudness(700, 1, 2) < 0.01
    assert film.loudness(700, alone_again_s + 0.5, alone_again_s + 1.5) < 0.01
    assert lightness(film).min() > 15, "no black flash"
    assert state.metrics.audio_lost_s == 0


async def test_pictures_keep_their_order_and_none_freezes(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    red = Publisher(shared_server, room, "red", look=Look(COLOURS["red"], (1280, 720)), fps=25)
    async with in_meeting(red, microphone=False):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(6)
        await recorder.stop()
    film = Film(recorder.file)
    numbers = np.array(film.counters(WHOLE))
    assert (np.diff(numbers) >= 0).mean() > 0.95, "frames keep their order"
    assert len(set(numbers[5:])) > 6 * 25 * 0.4, "most of the publisher's pictures are in the file"
    changes = film.times[1:][np.diff(numbers) != 0]
    assert np.diff(changes).max() < 1.5, "nothing freezes"
    rate = (numbers[-1] - numbers[5]) / (film.times[-1] - film.times[5])
    assert rate == pytest.approx(25, rel=0.1), "time runs at its own speed"


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
    # On a busy machine the publisher itself is late, with either: what it sent is what the file shall show.
    assert state.started_at_ms is not None
    begin = state.started_at_ms / 1000 - time.time() + time.monotonic()
    offsets = []
    for flash in flashes[flashes > 1.5]:
        flashed, beeped = (nearest(np.array(at) - begin, flash) for at in (clapper.flashed_at_s, clapper.beeped_at_s))
        offsets.append((nearest(beeps, flash) - flash) - (beeped - flashed))
    assert len(offsets) >= 4
    assert abs(float(np.median(offsets))) < MAX_OFFSET_S, offsets


@pytest.mark.both_media_servers
async def test_ordinary_events_of_a_meeting(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    """Mute, unmute, republish with another codec, a new size every second, a shared screen."""
    red, green = person(shared_server, room, "red", 400), person(shared_server, room, "green", 700)
    async with in_meeting(red, green):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(2)
        assert red.camera is not None
        assert red.microphone is not None
        assert green.camera is not None
        red.camera.track.mute()  # type: ignore[union-attr]
        red.microphone.track.mute()  # type: ignore[union-attr]
        muted_s = await recorder.until_film(
            lambda film: not is_like(film.colour_at(film.times[-1], LEFT), COLOURS["red"])
        )
        for number, size in enumerate(((320, 180), (640, 480), (180, 320), (641, 361))):
            green.look.size = size
            await recorder.until_recorded(muted_s + 1 + number)
        red.camera.track.unmute()  # type: ignore[union-attr]
        red.microphone.track.unmute()  # type: ignore[union-attr]
        await green.unpublish(green.camera, "camera")
        green.codec, green.look = rtc.VideoCodec.H264, Look(COLOURS["blue"])
        await green.publish_camera()
        await recorder.until_visible(RIGHT, COLOURS["blue"])
        republished_s = await recorder.until_visible(LEFT, COLOURS["red"])
        republished_s = (await recorder.until_recorded(republished_s + 2)).duration_s
        await red.publish_screen(Look(COLOURS["yellow"], (1280, 720)))
        shared_s = await recorder.until_visible(Rect(0, 0, 1024, 720), COLOURS["yellow"])
        await recorder.until_recorded(shared_s + 1)
        state = await recorder.stop()
    film = Film(recorder.file)
    film.save_frame(muted_s + 1, artefacts / "camera-off.png")
    film.save_frame(republished_s - 0.2, artefacts / "republished.png")
    film.save_frame(shared_s + 0.8, artefacts / "shared-screen.png")
    assert film.loudness(400, muted_s + 1, muted_s + 2.5) < 0.01
    assert film.loudness(700, muted_s + 1, muted_s + 2.5) > 0.06
    assert is_like(film.colour_at(republished_s - 0.2, LEFT), COLOURS["red"])
    assert is_like(film.colour_at(republished_s - 0.2, RIGHT), COLOURS["blue"]), "H.264 after VP8"
    assert film.loudness(400, republished_s - 1.2, republished_s - 0.2) > 0.06
    assert lightness(film).min() > 15, "no black flash"
    assert state.reason is EndReason.STOPPED


@pytest.mark.both_media_servers
async def test_a_participant_who_reconnects_keeps_the_tile(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
):
    red, green = person(shared_server, room, "red"), person(shared_server, room, "green")
    async with in_meeting(red, green):
        recorder = await record(shared_server, room)
        before_s = (await recorder.until_recorded(4)).duration_s
        await red.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        await recorder.until_recorded(before_s + 5)
        await recorder.until_visible(LEFT, COLOURS["red"])
        await recorder.stop()
    film = Film(recorder.file)
    for second in np.arange(before_s - 0.5, film.duration_s - 0.5, 0.25):
        assert is_like(film.colour_at(second, RIGHT), COLOURS["green"]), f"green is in place at {second}"


HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "😀" * 128,
    "\u202egnp.exe\u202c",
    "gnp.exe",
    "\x1b[2J\r\n",
    "[2J",
    ("Z" + "\u0351\u036b\u0343" * 20) * 40,
    "\u05e9\u05d5",
    "\u05e9",
)
TILE_W, TILE_H = 426, 240
LABEL_TOP, BADGE_END = TILE_H - 30, TILE_H * 3 // 4 + 4
"""Rows of a tile of this size: the name is below, the badge above."""


async def test_hostile_names_are_drawn_as_harmless_text_inside_their_tiles(
    shared_server: MediaServerProcess, room: str, record: StartRecorder, artefacts: Path
):
    participants = [Publisher(shared_server, room, f"p{n}", name=name) for n, name in enumerate(HOSTILE_NAMES)]
    async with in_meeting(*participants, camera=False, microphone=False):
        recorder = await record(shared_server, room)
        await recorder.until_recorded(2)
        state = await recorder.stop()
    assert state.reason is EndReason.STOPPED
    film = Film(recorder.file, width=1280)
    film.save_frame(1.5, artefacts / "hostile-names.png")
    luma = film.frame_at(1.5).astype(float).mean(axis=2)
    tiles = [luma[row * TILE_H :, column * TILE_W :][:TILE_H, :TILE_W] for row in range(3) for column in range(3)]
    labels = {name: tile[LABEL_TOP:] for name, tile in zip(HOSTILE_NAMES, tiles, strict=True)}
    for name, tile in zip(HOSTILE_NAMES, tiles, strict=True):
        assert (labels[name] > 150).sum() > 15, f"there is text: {name!r}"
        edges = np.concatenate([tile[:, :3].ravel(), tile[:, -3:].ravel(), tile[-2:].ravel()])
        assert edges.max() < 80, f"nothing is drawn over the edge: {name!r}"
        assert tile[BADGE_END:LABEL_TOP].max() < 80, f"nothing is stacked above the label: {name!r}"

    def difference(one: str, other: str) -> float:
        return float(np.abs(labels[one] - labels[other]).max())

    assert difference("\u202egnp.exe\u202c", "gnp.exe") < 40, "the direction of letters cannot be overridden"
    assert difference("\x1b[2J\r\n", "[2J") < 40, "control characters leave no trace"
    for long in HOSTILE_NAMES[1], HOSTILE_NAMES[6]:
        filled = np.flatnonzero((labels[long] > 100).any(axis=0))
        assert filled[-1] > TILE_W * 3 // 4, "a long name fills its tile"
    shin, shin_vav = ink(labels["\u05e9"]), ink(labels["\u05e9\u05d5"])
    width = shin.shape[1]
    at_right, at_left = (np.abs(part - shin).mean() for part in (shin_vav[:, -width:], shin_vav[:, :width]))
    assert at_right < at_left / 2, "the letter that is read first is at the right"


def ink(label: np.ndarray) -> np.ndarray:
    """Return the columns of a label in which there is text."""
    columns = np.flatnonzero((label > 150).any(axis=0))
    return label[:, columns[0] : columns[-1] + 1]


async def test_sound_alone(shared_server: MediaServerProcess, room: str, record: StartRecorder):
    async with in_meeting(person(shared_server, room, "red", 500)):
        recorder = await record(shared_server, room, preset=RecordingPreset.AUDIO)
        await recorder.until_recorded(4)
        state = await recorder.stop()
    film = Film(recorder.file)
    assert film.loudness(500, 1.5, 3.5) > 0.06
    assert state.metrics.frames_composed == 0
