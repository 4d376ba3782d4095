"""From scenes, pictures and sound to the file: writes what is due. Has no thread and no clock of its own."""

from collections.abc import Callable
from typing import Final

from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.layout import Tile, arrange
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.mixer import Mixer
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.pipeline.quality import QualityGovernor, QualityLevel
from tertulia_recorder.pipeline.timeline import Timeline
from tertulia_recorder.scene import Scene
from tertulia_recorder.units import AUDIO_BLOCK, MICROSECOND

ARRIVAL_US: Final = 300_000
"""How late sound and pictures of a time may arrive; what arrives later is lost."""
_DECODING_US: Final = 80_000
DELAY_US: Final = ARRIVAL_US + _DECODING_US
"""How long after its time a frame is made: by then all of that is decoded, unless the machine is too slow."""
OPENING_US: Final = 200_000
"""The first frames wait less for late media, so that media is on the disk soon after the start."""
OPENING_ARRIVAL_US: Final = 40_000
_MAX_DECODING_US: Final = 3_000_000
"""How long sound that has arrived is waited for until it is decoded."""
_MAX_PICTURES_US: Final = 2_000_000
"""The same of pictures: less, so that sound never waits for them until it is too late."""
_LATE_US: Final = 400_000

OnLayout = Callable[[tuple[Tile, ...], QualityLevel], None]


class Pipeline:
    """Makes and writes the frames and the sound that are due. Sound is complete whatever happens to the picture."""

    def __init__(
        self,
        *,
        timeline: Timeline,
        muxer: Muxer,
        media_buffer: MediaBuffer,
        compositor: Compositor | None,
        on_layout: OnLayout,
    ) -> None:
        self.governor = QualityGovernor(timeline.fps)
        # What arrives too late for the opening is missed as little as what was said before the recording began.
        self.mixer = Mixer(count_from=timeline.sample_at(timeline.start_us + OPENING_US))
        self.frames_composed = 0
        self.frames_late = 0
        self.end_us: int | None = None
        self._timeline = timeline
        self._muxer = muxer
        self._media_buffer = media_buffer
        self._compositor = compositor
        self._on_layout = on_layout
        self._tick = 0
        self._sample = 0
        self._unblocked_us = timeline.start_us
        self._reported_scene: Scene | None = None
        self._scene = Scene()
        self._tiles: tuple[Tile, ...] = ()

    @property
    def position_s(self) -> float:
        """How much is written, in seconds."""
        return self._timeline.seconds_of_tick(self._tick)

    @property
    def end_s(self) -> float | None:
        """When the recording ends, in seconds of its time (negative: before it began); None while it goes on."""
        return None if self.end_us is None else (self.end_us - self._timeline.start_us) / MICROSECOND

    @property
    def is_finished(self) -> bool:
        """Whether everything up to `end_us` is written."""
        return self.end_us is not None and self._timeline.tick_us(self._tick) >= self.end_us

    @property
    def next_due_us(self) -> int:
        """When the next frame is due."""
        return self._due_us(self._tick)

    def advance(self, now_us: int) -> bool:
        """Write the next frame and its sound if they are due; False when there was nothing to do."""
        if self.is_finished or now_us < self._due_us(self._tick):
            return False
        if not self._is_decoded(now_us):
            self._unblocked_us = now_us
            return False
        self._take_sounds()
        late_us = max(now_us - max(self._due_us(self._tick), self._unblocked_us), self._media_buffer.decoding_lag_us)
        self._write_sound(self._timeline.sample_of_tick(self._tick + 1))
        # Also where there is no picture: scenes that are not taken would pile up.
        scene = self._media_buffer.scene_at(self._timeline.tick_us(self._tick))
        if self._compositor is not None:
            self._write_picture(self._compositor, scene, now_us, late_us)
        self._tick += 1
        return True

    def finish(self) -> None:
        """Write the remaining sound and close the file."""
        rest = self._timeline.sample_of_tick(self._tick) - self._sample
        if rest > 0:
            self._muxer.write_audio(self.mixer.mix(self._sample, rest), self._sample)
        self._muxer.close()

    def _arrival_us(self, tick: int) -> int:
        """Return how late media of frame `tick` may arrive."""
        is_opening = self._timeline.tick_us(tick) < self._timeline.start_us + OPENING_US
        return OPENING_ARRIVAL_US if is_opening else ARRIVAL_US

    def _due_us(self, tick: int) -> int:
        return self._after_end_of(tick, self._arrival_us(tick) + _DECODING_US)

    def _after_end_of(self, tick: int, delay_us: int) -> int:
        time_us = self._timeline.tick_us(tick + 1)
        # At the end of the recording nothing more is waited for: the file shall be playable at once.
        return time_us + delay_us if self.end_us is None else min(time_us + delay_us, max(time_us, self.end_us))

    def _take_sounds(self) -> None:
        sounds = self._media_buffer.sounds
        while sounds:
            chunk = sounds.popleft()
            if chunk.pcm is None:
                self.mixer.end(chunk.track)
            else:
                self.mixer.push(chunk.track, chunk.pcm, self._timeline.sample_at(chunk.time_us))

    def _is_decoded(self, now_us: int) -> bool:
        # A file is made a little later rather than without what has arrived, of sound above all.
        until_us, late_us = (
            self._after_end_of(self._tick, self._arrival_us(self._tick)),
            now_us - self._due_us(self._tick),
        )
        sound_us, pictures_us = self._media_buffer.sound_until_us, self._media_buffer.pictures_until_us
        has_sound = sound_us is None or sound_us >= until_us or late_us > _MAX_DECODING_US
        has_pictures = pictures_us is None or pictures_us >= until_us or late_us > _MAX_PICTURES_US
        return has_sound and has_pictures

    def _write_sound(self, until: int) -> None:
        while self._sample + AUDIO_BLOCK <= until:
            self._muxer.write_audio(self.mixer.mix(self._sample, AUDIO_BLOCK), self._sample)
            self._sample += AUDIO_BLOCK

    def _write_picture(self, compositor: Compositor, scene: Scene, now_us: int, late_us: int) -> None:
        has_new_level = self.governor.observe(now_us, late_us)
        newest = self._media_buffer.scene
        if newest is not self._reported_scene or has_new_level:
            # At once, since what is subscribed to takes its time to arrive.
            self._reported_scene = newest
            self._on_layout(arrange(newest.participants, compositor.size), self.governor.quality)
        time_us = self._timeline.tick_us(self._tick)
        self._change_scene(scene, compositor)
        should_compose = self.governor.should_compose(self._tick, late_us)
        self.frames_late += late_us > _LATE_US
        # The very first frame is never skipped: it makes the recording active.
        if should_compose or self._tick == 0:
            frame = compositor.compose(self._tiles, lambda track: self._media_buffer.pictures.at(track, time_us))
            self._muxer.write_video(frame, self._tick)
            self.frames_composed += 1

    def _change_scene(self, scene: Scene, compositor: Compositor) -> None:
        if scene is self._scene:
            return
        for track in self._scene.video_tracks - scene.video_tracks:
            self._media_buffer.pictures.remove(track)
        self._scene = scene
        self._tiles = arrange(scene.participants, compositor.size)
