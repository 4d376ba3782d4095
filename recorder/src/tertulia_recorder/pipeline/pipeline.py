"""From scene, pictures and sounds to the file: what is due at a moment. Knows no thread and no clock of its own."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tertulia_recorder.drawing.compositor import Compositor
from tertulia_recorder.drawing.gallery import Gallery
from tertulia_recorder.drawing.layout import Tile, arrange
from tertulia_recorder.pipeline.mixer import Mixer, Pcm
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.pipeline.timeline import Governor, QualityLevel, Timeline
from tertulia_recorder.scene import Scene, TrackSid
from tertulia_recorder.units import AUDIO_BLOCK, SAMPLE_RATE_HZ

ARRIVAL_US: Final = 300_000
"""How late sound and pictures of a time may come; what comes later is lost."""
DELAY_US: Final = ARRIVAL_US + 80_000
"""How long after its time a frame is made: by then all of that has been decoded, unless the machine is too slow."""
_DECODING_PATIENCE_US: Final = 3_000_000
_LATE_US: Final = 400_000


class _End(Enum):
    OF_TRACK = "end of track"


SoundQueue = deque[tuple[TrackSid, Pcm | _End, int]]


@dataclass(slots=True)
class MediaBuffer:
    """What the media connection hands over; it adds at one end, the composing thread takes at the other."""

    gallery: Gallery = field(default_factory=Gallery)
    sounds: SoundQueue = field(default_factory=deque)
    scenes: deque[tuple[int, Scene]] = field(default_factory=lambda: deque([(0, Scene())]))
    handed_over_us: int | None = None
    """Everything that arrived until then has been handed over; None: nothing can arrive, there is no connection."""
    hand_over_lag_us: int = 0
    """How much later than usual the last things were handed over, because the machine is too slow."""

    @property
    def scene(self) -> Scene:
        """What the meeting looks like now."""
        return self.scenes[-1][1]

    def show(self, scene: Scene, now_us: int) -> None:
        """Take what the meeting looks like from `now_us` on."""
        self.scenes.append((now_us, scene))

    def scene_at(self, time_us: int) -> Scene:
        """Give what the meeting looked like at `time_us`, and forget what was before."""
        while len(self.scenes) > 1 and self.scenes[1][0] <= time_us:
            self.scenes.popleft()
        return self.scenes[0][1]

    def add_sound(self, track: TrackSid, pcm: Pcm, begun_us: int) -> None:
        """Take a piece of sound that begins at `begun_us` of the monotonic clock."""
        self.sounds.append((track, pcm, begun_us))

    def end_sound(self, track: TrackSid, now_us: int) -> None:
        """Say that a track sends nothing more."""
        self.sounds.append((track, _End.OF_TRACK, now_us))


class Pipeline:
    """Makes and writes the frames and the sound that are due. Sound is complete whatever happens to the picture."""

    def __init__(
        self,
        *,
        timeline: Timeline,
        muxer: Muxer,
        media_buffer: MediaBuffer,
        compositor: Compositor | None,
        on_wishes: Callable[[tuple[Tile, ...], QualityLevel], None],
    ) -> None:
        self.governor = Governor(timeline.fps)
        self.mixer = Mixer()
        self.frames_composed = 0
        self.frames_late = 0
        self.end_us: int | None = None
        self._timeline = timeline
        self._muxer = muxer
        self._media_buffer = media_buffer
        self._compositor = compositor
        self._on_wishes = on_wishes
        self._tick = 0
        self._sample = 0
        self._unblocked_us = timeline.start_us
        self._wished: Scene | None = None
        self._scene = Scene()
        self._tiles: tuple[Tile, ...] = ()

    @property
    def position_s(self) -> float:
        """How much is written, in seconds."""
        return self._timeline.seconds_of_tick(self._tick)

    @property
    def is_finished(self) -> bool:
        """Whether everything up to `end_us` is written."""
        return self.end_us is not None and self._timeline.tick_us(self._tick) >= self.end_us

    @property
    def next_due_us(self) -> int:
        """When there is something to do again."""
        return self._due_us(self._tick)

    def advance(self, now_us: int) -> bool:
        """Write the next frame and its sound if they are due; False when there was nothing to do."""
        if self.is_finished or now_us < self._due_us(self._tick):
            return False
        if not self._all_is_here(now_us):
            self._unblocked_us = now_us
            return False
        self._take_sounds()
        late_us = max(now_us - max(self._due_us(self._tick), self._unblocked_us), self._media_buffer.hand_over_lag_us)
        self._write_sound(self._timeline.sample_of_tick(self._tick + 1))
        # Also where there is no picture: scenes that nobody takes would pile up.
        scene = self._media_buffer.scene_at(self._timeline.tick_us(self._tick))
        if self._compositor is not None:
            self._write_picture(self._compositor, scene, now_us, late_us)
        self._tick += 1
        return True

    def finish(self) -> None:
        """Write the sound that is left over and close the file."""
        rest = self._timeline.sample_of_tick(self._tick) - self._sample
        if rest > 0:
            self._muxer.write_audio(self.mixer.mix(self._sample, rest), self._sample)
        self._muxer.close()

    def _due_us(self, tick: int) -> int:
        return self._when_over(self._timeline.tick_us(tick + 1), DELAY_US)

    def _when_over(self, time_us: int, delay_us: int) -> int:
        # At the end nothing more is waited for: the film shall be playable at once.
        return time_us + delay_us if self.end_us is None else min(time_us + delay_us, max(time_us, self.end_us))

    def _take_sounds(self) -> None:
        sounds = self._media_buffer.sounds
        while sounds:
            track, sound, at_us = sounds.popleft()
            if isinstance(sound, _End):
                self.mixer.end(track)
            else:
                self.mixer.push(track, sound, self._timeline.sample_at(at_us))

    def _all_is_here(self, now_us: int) -> bool:
        handed_over_us = self._media_buffer.handed_over_us
        if handed_over_us is None or now_us - self._due_us(self._tick) > _DECODING_PATIENCE_US:
            return True
        return handed_over_us >= self._when_over(self._timeline.tick_us(self._tick + 1), ARRIVAL_US)

    def _write_sound(self, until: int) -> None:
        while self._sample + AUDIO_BLOCK <= until:
            self._muxer.write_audio(self.mixer.mix(self._sample, AUDIO_BLOCK), self._sample)
            self._sample += AUDIO_BLOCK

    def _write_picture(self, compositor: Compositor, scene: Scene, now_us: int, late_us: int) -> None:
        effort_changed = self.governor.observe(now_us, late_us)
        newest = self._media_buffer.scene
        if newest is not self._wished or effort_changed:
            # At once, since what is asked for takes its time to arrive.
            self._wished = newest
            self._on_wishes(arrange(newest.people, compositor.size), self.governor.effort)
        time_us = self._timeline.tick_us(self._tick)
        self._change_scene(scene, compositor)
        wanted = self.governor.wants(self._tick, late_us)
        self.frames_late += late_us > _LATE_US
        # The very first frame is never left out: it is what says that the recording is active.
        if wanted or self._tick == 0:
            frame = compositor.compose(self._tiles, lambda track: self._media_buffer.gallery.at(track, time_us))
            self._muxer.write_video(frame, self._tick)
            self.frames_composed += 1

    def _change_scene(self, scene: Scene, compositor: Compositor) -> None:
        if scene is self._scene:
            return
        for track in self._scene.pictures - scene.pictures:
            self._media_buffer.gallery.remove(track)
        self._scene = scene
        self._tiles = arrange(scene.people, compositor.size)

    def lost_sound_s(self) -> float:
        """Say how much sound came too late to be mixed; it should be none."""
        return self.mixer.lost_samples / SAMPLE_RATE_HZ
