"""The composing side in simulated time: no thread, no clock, no network."""

from pathlib import Path

import av
import numpy as np
import pytest

from tertulia.domain.ids import Identity
from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.gallery import picture_of
from tertulia_recorder.drawing.layout import Size, Tile
from tertulia_recorder.drawing.planes import yuv
from tertulia_recorder.drawing.text import BUNDLED_FONT, TextPainter
from tertulia_recorder.pipeline.muxer import Format, Muxer
from tertulia_recorder.pipeline.pipeline import DELAY_US, MediaBuffer, Pipeline
from tertulia_recorder.pipeline.timeline import QualityLevel, Timeline
from tertulia_recorder.scene import Person, Scene, TrackSid

SECOND = 1_000_000
FORMAT = Format(Size(320, 180), 30)
CAMERA, MICROPHONE = TrackSid("camera"), TrackSid("microphone")


class Studio:
    """A pipeline, and a hand on its clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.media_buffer = MediaBuffer()
        self.media_buffer.show(Scene((Person(Identity("a"), "A", camera=CAMERA),)), 0)
        self.wishes: list[tuple[tuple[Tile, ...], QualityLevel]] = []
        self.pipeline = Pipeline(
            timeline=Timeline(0, 30),
            muxer=Muxer(path, FORMAT),
            media_buffer=self.media_buffer,
            compositor=Compositor(Size(320, 180), TextPainter([BUNDLED_FONT])),
            on_wishes=lambda tiles, effort: self.wishes.append((tiles, effort)),
        )

    def run(self, start_us: int, end_us: int, *, sound: bool = True, decodes: bool = True, late_us: int = 0) -> None:
        """Feed and advance in steps of 10 ms; picture and sound are white and loud in the first half of each second."""
        for now in range(start_us, end_us, 10_000):
            on = now % SECOND < SECOND // 2
            if now % 40_000 == 0:
                level = yuv(255, 255, 255) if on else yuv(0, 0, 0)
                planes = np.full((36 * 3 // 2, 64), 128, np.uint8)
                planes[:36] = level.y
                picture = picture_of(av.VideoFrame.from_ndarray(planes, "yuv420p"), 0, now)
                assert picture is not None
                self.media_buffer.gallery.add(CAMERA, picture)
            if sound:
                self.media_buffer.add_sound(MICROPHONE, np.full((480, 2), 20_000 if on else 0, np.int16), now)
            if decodes:
                self.media_buffer.handed_over_us = now
            while now >= self.pipeline.next_due_us + late_us and self.pipeline.advance(now):
                pass

    def finish(self, end_us: int) -> None:
        self.pipeline.end_us = end_us
        now = end_us
        while not self.pipeline.is_finished:
            now += 10_000
            while self.pipeline.advance(now):
                pass
        self.pipeline.finish()

    def frames(self) -> list[tuple[float, float]]:
        """(time, lightness of the middle) of each frame."""
        with av.open(str(self.path), mode="r") as container:
            return [(f.time or 0, float(f.to_ndarray()[60:90, 100:200].mean())) for f in container.decode(video=0)]

    def sound(self) -> np.ndarray:
        with av.open(str(self.path), mode="r") as container:
            return np.concatenate([f.to_ndarray().mean(axis=0) for f in container.decode(audio=0)])


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "x.mp4")


def test_picture_and_sound_change_together(studio: Studio):
    studio.run(0, 4 * SECOND)
    studio.finish(4 * SECOND)
    frames, sound = studio.frames(), studio.sound()
    assert len(frames) == 120
    turned_white = next(t for t, light in frames if t > 0.7 and light > 128)
    loud = np.flatnonzero(np.abs(sound) > 0.3) / 48_000
    turned_loud = loud[loud > 0.7][0]
    assert abs(turned_white - turned_loud) <= 0.045
    assert len(sound) / 48_000 == pytest.approx(4, abs=0.05)


def test_frames_wait_for_the_pictures_of_their_time(studio: Studio):
    studio.run(0, DELAY_US)
    assert studio.pipeline.frames_composed == 0
    studio.run(DELAY_US, SECOND)
    assert studio.pipeline.frames_composed == pytest.approx(30 * (1 - DELAY_US / SECOND) - 1, abs=1)


def test_when_the_machine_is_too_slow_frames_go_but_no_sound(studio: Studio):
    studio.run(0, 2 * SECOND)
    studio.run(2 * SECOND, 30 * SECOND, late_us=700_000)
    studio.finish(30 * SECOND)
    sound = studio.sound()
    assert studio.pipeline.mixer.lost_samples == 0
    assert len(sound) / 48_000 == pytest.approx(30, abs=0.05)
    per_second = np.abs(sound[: 30 * 48_000]).reshape(-1, 48_000).mean(1)
    assert per_second.min() > 0.25
    assert len(studio.frames()) < 12 * 30
    assert any("short of CPU" in detail for detail in studio.pipeline.governor.details())
    assert studio.wishes[-1][1].small_layers


def test_when_decoding_is_late_less_is_asked_for(studio: Studio):
    studio.run(0, 2 * SECOND)
    studio.media_buffer.hand_over_lag_us = 700_000
    studio.run(2 * SECOND, 10 * SECOND)
    studio.finish(10 * SECOND)
    assert studio.wishes[-1][1].small_layers
    assert studio.pipeline.mixer.lost_samples == 0


def test_a_track_that_falls_silent_without_a_word_holds_nothing_up(studio: Studio):
    studio.run(0, 2 * SECOND)
    studio.run(2 * SECOND, 8 * SECOND, sound=False)
    assert studio.pipeline.position_s == pytest.approx(8 - DELAY_US / SECOND, abs=0.1)
    studio.finish(8 * SECOND)
    assert len(studio.sound()) / 48_000 == pytest.approx(8, abs=0.05)


def test_sound_that_is_decoded_a_second_late_is_not_lost(studio: Studio):
    """Short of CPU the decoding thread is late; what it has not looked at yet is waited for."""
    studio.run(0, 2 * SECOND)
    studio.run(2 * SECOND, 3 * SECOND, sound=False, decodes=False)
    for now in range(2 * SECOND, 3 * SECOND, 10_000):
        on = now % SECOND < SECOND // 2
        studio.media_buffer.add_sound(MICROPHONE, np.full((480, 2), 20_000 if on else 0, np.int16), now)
    studio.run(3 * SECOND, 5 * SECOND)
    studio.finish(5 * SECOND)
    assert studio.pipeline.mixer.lost_samples == 0
    sound = np.abs(studio.sound())
    assert sound[int(2.1 * 48_000) : int(2.4 * 48_000)].mean() > 0.4
    assert studio.pipeline.governor.details() == ()


def test_decoding_that_hangs_holds_nothing_up_for_ever(studio: Studio):
    studio.run(0, 2 * SECOND)
    studio.run(2 * SECOND, 8 * SECOND, decodes=False)
    assert studio.pipeline.position_s > 4


def test_while_there_is_no_connection_nothing_is_waited_for(studio: Studio):
    studio.run(0, 2 * SECOND)
    studio.media_buffer.handed_over_us = None
    studio.run(2 * SECOND, 4 * SECOND, sound=False, decodes=False)
    assert studio.pipeline.position_s == pytest.approx(4 - DELAY_US / SECOND, abs=0.1)


def test_at_the_end_nothing_more_is_waited_for(studio: Studio):
    studio.run(0, 2 * SECOND)
    studio.pipeline.end_us = studio.media_buffer.handed_over_us = 2 * SECOND
    while studio.pipeline.advance(2 * SECOND):
        pass
    assert studio.pipeline.is_finished
    studio.pipeline.finish()


def test_it_says_what_it_needs_when_somebody_comes(studio: Studio):
    studio.run(0, SECOND)
    studio.media_buffer.show(
        Scene((*studio.media_buffer.scene.people, Person(Identity("b"), "B", joined_at=1))), SECOND
    )
    studio.run(SECOND, SECOND + 40_000)
    assert [len(tiles) for tiles, _ in studio.wishes] == [1, 2]


def test_the_layout_changes_with_the_pictures_of_its_time(studio: Studio):
    """Wishes are made at once, but the frames of an instant show who was there at that instant."""
    left_us = 200_000
    studio.run(0, left_us)
    studio.media_buffer.show(Scene(), left_us)
    studio.run(left_us, SECOND)
    studio.finish(SECOND)
    lightness = dict(studio.frames())
    assert min(light for time_s, light in lightness.items() if time_s < 0.19) > 200
    assert max(light for time_s, light in lightness.items() if time_s > 0.19 + 9 / 30) < 60
    assert [len(tiles) for tiles, _ in studio.wishes] == [0], "before the first frame is due"


def test_scenes_do_not_pile_up_where_sound_alone_is_recorded(tmp_path: Path):
    media_buffer, sound_alone = MediaBuffer(), Format(None, 10)
    pipeline = Pipeline(
        timeline=Timeline(0, sound_alone.fps),
        muxer=Muxer(tmp_path / "sound.mp4", sound_alone),
        media_buffer=media_buffer,
        compositor=None,
        on_wishes=lambda *_: None,
    )
    for now in range(0, 20 * SECOND, 100_000):
        media_buffer.show(Scene((Person(Identity("a"), "A", last_spoke_at_s=now / SECOND),)), now)
        while pipeline.advance(now):
            pass
    assert len(media_buffer.scenes) < 10, "those of the composing delay"
    pipeline.end_us = 20 * SECOND
    while not pipeline.is_finished:
        pipeline.advance(21 * SECOND)
    pipeline.finish()
