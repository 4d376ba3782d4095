"""What receiving hands over to composing: scenes, decoded pictures and sound, each with its time.

Imports neither NumPy nor FFmpeg, so that the meeting can be joined while they are loaded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from tertulia_recorder.scene import Scene, TrackSid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tertulia_recorder.drawing.pictures import Picture

Pcm: TypeAlias = "NDArray[np.int16]"
"""Sound: int16, shape (samples, CHANNELS), 48 kHz."""

_PICTURES_PER_TRACK: Final = 32
"""At 30 a second: twice what arrives while a frame waits for its time."""


class PictureBuffer:
    """The newest pictures of each track. One thread adds, another one takes."""

    def __init__(self) -> None:
        self._tracks: dict[TrackSid, deque[Picture]] = {}

    def add(self, track: TrackSid, picture: Picture) -> None:
        """Keep a picture until its time has come; the oldest one is dropped when there are too many."""
        self._tracks.setdefault(track, deque(maxlen=_PICTURES_PER_TRACK)).append(picture)

    def remove(self, track: TrackSid) -> None:
        """Drop all pictures of a track."""
        self._tracks.pop(track, None)

    def at(self, track: TrackSid, time_us: int) -> Picture | None:
        """Return the newest picture of `track` at or before `time_us`, and drop older ones."""
        waiting = self._tracks.get(track)
        if not waiting or waiting[0].time_us > time_us:
            return None
        while len(waiting) > 1 and waiting[1].time_us <= time_us:
            waiting.popleft()
        return waiting[0]


@dataclass(frozen=True, slots=True)
class SoundChunk:
    """A piece of one track's sound that begins at `time_us` of the monotonic clock; `pcm` None: the track has ended."""

    track: TrackSid
    time_us: int
    pcm: Pcm | None


@dataclass(slots=True)
class MediaBuffer:
    """The queues between the threads: receiving and decoding append, composing takes."""

    pictures: PictureBuffer = field(default_factory=PictureBuffer)
    sounds: deque[SoundChunk] = field(default_factory=deque)
    scenes: deque[tuple[int, Scene]] = field(default_factory=lambda: deque([(0, Scene())]))
    decoded_until_us: int | None = None
    """All media that arrived until then is here. None: there is no connection, so nothing can arrive."""
    decoding_lag_us: int = 0
    """How much later than usual media was decoded last, because the machine is too slow."""

    @property
    def scene(self) -> Scene:
        """The newest scene."""
        return self.scenes[-1][1]

    def add_scene(self, scene: Scene, now_us: int) -> None:
        """Append the scene that holds from `now_us` on."""
        self.scenes.append((now_us, scene))

    def scene_at(self, time_us: int) -> Scene:
        """Return the scene at `time_us`, and drop those before it."""
        while len(self.scenes) > 1 and self.scenes[1][0] <= time_us:
            self.scenes.popleft()
        return self.scenes[0][1]

    def add_sound(self, track: TrackSid, pcm: Pcm, time_us: int) -> None:
        """Append sound that begins at `time_us`."""
        self.sounds.append(SoundChunk(track, time_us, pcm))

    def end_sound(self, track: TrackSid, now_us: int) -> None:
        """Mark the end of a track's sound."""
        self.sounds.append(SoundChunk(track, now_us, None))
