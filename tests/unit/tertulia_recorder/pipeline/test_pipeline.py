"""The composing side in simulated time: no thread, no clock, no network."""

from pathlib import Path

import av
import numpy as np
import pytest

from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.layout import Size, Tile
from tertulia_recorder.drawing.pictures import picture_of
from tertulia_recorder.drawing.planes import yuv
from tertulia_recorder.drawing.text import BUNDLED_FONT, TextPainter
from tertulia_recorder.ids import Identity
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.formats import Format
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.pipeline.pipeline import DELAY_US, OPENING_US, Pipeline
from tertulia_recorder.pipeline.quality import QualityLevel
from tertulia_recorder.pipeline.timeline import Timeline
from tertulia_recorder.repair.growing_file import GrowingFile
from tertulia_recorder.scene import Participant, Scene, TrackSid

SECOND = 1_000_000
FORMAT = Format(Size(320, 180), 30)
CAMERA, MICROPHONE = TrackSid("camera"), TrackSid("microphone")


class SimulatedPipeline:
    """A pipeline in simulated time, fed with a picture and a sound."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.media_buffer = MediaBuffer()
        self.media_buffer.add_scene(Scene((Participant(Identity("a"), "A", camera=CAMERA),)), 0)
        self.layouts: list[tuple[tuple[Tile, ...], QualityLevel]] = []
        self.pipeline = Pipeline(
            timeline=Timeline(0, 30),
            muxer=Muxer(path, FORMAT),
            media_buffer=self.media_buffer,
            compositor=Compositor(Size(320, 180), TextPainter([BUNDLED_FONT])),
            on_layout=lambda tiles, quality: self.layouts.append((tiles, quality)),
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
                self.media_buffer.pictures.add(CAMERA, picture)
            if sound:
                self.media_buffer.add_sound(MICROPHONE, np.full((480, 2), 20_000 if on else 0, np.int16), now)
            if decodes:
                self.media_buffer.sound_until_us = self.media_buffer.pictures_until_us = now
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
def simulated(tmp_path: Path) -> SimulatedPipeline:
    return SimulatedPipeline(tmp_path / "x.mp4")


def test_picture_and_sound_change_together(simulated: SimulatedPipeline):
    simulated.run(0, 4 * SECOND)
    simulated.finish(4 * SECOND)
    frames, sound = simulated.frames(), simulated.sound()
    assert len(frames) == 120
    turned_white = next(t for t, light in frames if t > 0.7 and light > 128)
    loud = np.flatnonzero(np.abs(sound) > 0.3) / 48_000
    turned_loud = loud[loud > 0.7][0]
    assert abs(turned_white - turned_loud) <= 0.045
    assert len(sound) / 48_000 == pytest.approx(4, abs=0.05)


def test_frames_wait_for_the_pictures_of_their_time(simulated: SimulatedPipeline):
    simulated.run(0, OPENING_US + DELAY_US)
    opening = round(OPENING_US * 30 / SECOND)
    assert simulated.pipeline.frames_composed == opening
    simulated.run(OPENING_US + DELAY_US, 2 * SECOND)
    assert simulated.pipeline.frames_composed == pytest.approx(30 * (2 - DELAY_US / SECOND) - 1, abs=1)


def test_the_first_media_is_in_the_file_soon(simulated: SimulatedPipeline):
    """A start is answered when the file can be played, so the first fragment waits for as little as possible."""
    growing = GrowingFile(simulated.path)
    simulated.run(0, 330_000)
    assert growing.playable_s() > 0.05


def test_sound_of_the_opening_that_is_late_is_not_counted_as_lost(simulated: SimulatedPipeline):
    simulated.run(0, SECOND, sound=False)
    late_us = OPENING_US // 2
    simulated.media_buffer.add_sound(MICROPHONE, np.full((480, 2), 20_000, np.int16), late_us)
    simulated.run(SECOND, 2 * SECOND, sound=False)
    assert simulated.pipeline.mixer.lost_samples == 0
    simulated.media_buffer.add_sound(MICROPHONE, np.full((480, 2), 20_000, np.int16), SECOND)
    simulated.run(2 * SECOND, 3 * SECOND, sound=False)
    assert simulated.pipeline.mixer.lost_samples == 480


def test_when_the_machine_is_too_slow_frames_are_skipped_but_no_sound(simulated: SimulatedPipeline):
    simulated.run(0, 2 * SECOND)
    simulated.run(2 * SECOND, 30 * SECOND, late_us=700_000)
    simulated.finish(30 * SECOND)
    sound = simulated.sound()
    assert simulated.pipeline.mixer.lost_samples == 0
    assert len(sound) / 48_000 == pytest.approx(30, abs=0.05)
    per_second = np.abs(sound[: 30 * 48_000]).reshape(-1, 48_000).mean(1)
    assert per_second.min() > 0.25
    assert len(simulated.frames()) < 12 * 30
    assert any("short of CPU" in detail for detail in simulated.pipeline.governor.details())
    assert simulated.layouts[-1][1].uses_lowest_layers


def test_when_decoding_is_late_lower_layers_are_subscribed_to(simulated: SimulatedPipeline):
    simulated.run(0, 2 * SECOND)
    simulated.media_buffer.decoding_lag_us = 700_000
    simulated.run(2 * SECOND, 10 * SECOND)
    simulated.finish(10 * SECOND)
    assert simulated.layouts[-1][1].uses_lowest_layers
    assert simulated.pipeline.mixer.lost_samples == 0


def test_a_track_that_stops_without_notice_delays_nothing(simulated: SimulatedPipeline):
    simulated.run(0, 2 * SECOND)
    simulated.run(2 * SECOND, 8 * SECOND, sound=False)
    assert simulated.pipeline.position_s == pytest.approx(8 - DELAY_US / SECOND, abs=0.1)
    simulated.finish(8 * SECOND)
    assert len(simulated.sound()) / 48_000 == pytest.approx(8, abs=0.05)


def test_sound_that_is_decoded_a_second_late_is_not_lost(simulated: SimulatedPipeline):
    """Short of CPU the decoding thread is late; what it has not decoded yet is waited for."""
    simulated.run(0, 2 * SECOND)
    simulated.run(2 * SECOND, 3 * SECOND, sound=False, decodes=False)
    for now in range(2 * SECOND, 3 * SECOND, 10_000):
        on = now % SECOND < SECOND // 2
        simulated.media_buffer.add_sound(MICROPHONE, np.full((480, 2), 20_000 if on else 0, np.int16), now)
    simulated.run(3 * SECOND, 5 * SECOND)
    simulated.finish(5 * SECOND)
    assert simulated.pipeline.mixer.lost_samples == 0
    sound = np.abs(simulated.sound())
    assert sound[int(2.1 * 48_000) : int(2.4 * 48_000)].mean() > 0.4
    assert simulated.pipeline.governor.details() == ()


def test_decoding_that_hangs_does_not_stop_the_recording(simulated: SimulatedPipeline):
    simulated.run(0, 2 * SECOND)
    simulated.run(2 * SECOND, 8 * SECOND, decodes=False)
    assert simulated.pipeline.position_s > 4


def test_while_there_is_no_connection_nothing_is_waited_for(simulated: SimulatedPipeline):
    simulated.run(0, 2 * SECOND)
    simulated.media_buffer.sound_until_us = simulated.media_buffer.pictures_until_us = None
    simulated.run(2 * SECOND, 4 * SECOND, sound=False, decodes=False)
    assert simulated.pipeline.position_s == pytest.approx(4 - DELAY_US / SECOND, abs=0.1)


def test_at_the_end_nothing_more_is_waited_for(simulated: SimulatedPipeline):
    simulated.run(0, 2 * SECOND)
    simulated.pipeline.end_us = 2 * SECOND
    simulated.media_buffer.sound_until_us = simulated.media_buffer.pictures_until_us = 2 * SECOND
    while simulated.pipeline.advance(2 * SECOND):
        pass
    assert simulated.pipeline.is_finished
    simulated.pipeline.finish()


def test_a_new_layout_is_reported_when_a_participant_joins(simulated: SimulatedPipeline):
    simulated.run(0, SECOND)
    simulated.media_buffer.add_scene(
        Scene((*simulated.media_buffer.scene.participants, Participant(Identity("b"), "B", join_order=1))), SECOND
    )
    simulated.run(SECOND, SECOND + 40_000)
    assert [len(tiles) for tiles, _ in simulated.layouts] == [1, 2]


def test_the_layout_changes_with_the_pictures_of_its_time(simulated: SimulatedPipeline):
    """The new layout is reported at once, but the frames of an instant show the participants of that instant."""
    left_us = 200_000
    simulated.run(0, left_us)
    simulated.media_buffer.add_scene(Scene(), left_us)
    simulated.run(left_us, SECOND)
    simulated.finish(SECOND)
    lightness = dict(simulated.frames())
    assert min(light for time_s, light in lightness.items() if time_s < 0.19) > 200
    assert max(light for time_s, light in lightness.items() if time_s > 0.19 + 9 / 30) < 60
    assert [len(tiles) for tiles, _ in simulated.layouts] == [1, 0], "the second one before its frames are due"


def test_scenes_do_not_pile_up_where_sound_alone_is_recorded(tmp_path: Path):
    media_buffer, sound_alone = MediaBuffer(), Format(None, 10)
    pipeline = Pipeline(
        timeline=Timeline(0, sound_alone.fps),
        muxer=Muxer(tmp_path / "sound.mp4", sound_alone),
        media_buffer=media_buffer,
        compositor=None,
        on_layout=lambda *_: None,
    )
    for now in range(0, 20 * SECOND, 100_000):
        media_buffer.add_scene(Scene((Participant(Identity("a"), "A", last_spoke_at_s=now / SECOND),)), now)
        while pipeline.advance(now):
            pass
    assert len(media_buffer.scenes) < 10, "those of the composing delay"
    pipeline.end_us = 20 * SECOND
    while not pipeline.is_finished:
        pipeline.advance(21 * SECOND)
    pipeline.finish()


def test_pictures_that_are_not_decoded_hold_no_sound_up(simulated: SimulatedPipeline):
    """Short of CPU, sound is decoded first; a file without some pictures is better than one without some sound."""
    simulated.run(0, 2 * SECOND)
    for now in range(2 * SECOND, 8 * SECOND, 10_000):
        simulated.media_buffer.sound_until_us = now
        simulated.run(now, now + 10_000, decodes=False)
    simulated.finish(8 * SECOND)
    assert simulated.pipeline.mixer.lost_samples == 0
    assert len(simulated.sound()) / 48_000 == pytest.approx(8, abs=0.05)
