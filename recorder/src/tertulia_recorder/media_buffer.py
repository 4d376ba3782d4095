"""What receiving hands over to composing: scenes, decoded pictures and sound, each with its time.

Imports neither NumPy nor FFmpeg, so that the meeting can be joined while they are loaded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock
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
_MAX_BYTES: Final = 512 * 1024 * 1024
"""Of all pictures: beyond that the track that has most of them loses its oldest ones."""


class PictureBuffer:
    """The newest pictures of each track. One thread adds, another one takes."""

    def __init__(self) -> None:
        self._tracks: dict[TrackSid, deque[Picture]] = {}
        self._bytes = 0
        self._lock = Lock()

    def add(self, track: TrackSid, picture: Picture) -> None:
        """Keep a picture until its time has come; the oldest ones are dropped when there are too many."""
        with self._lock:
            waiting = self._tracks.setdefault(track, deque())
            waiting.append(picture)
            self._bytes += picture.size_bytes
            if len(waiting) > _PICTURES_PER_TRACK:
                self._drop_oldest(waiting)
            while self._bytes > _MAX_BYTES:
                largest = max(self._tracks.values(), key=lambda each: len(each) * each[-1].size_bytes)
                if len(largest) == 1:
                    break
                self._drop_oldest(largest)

    def remove(self, track: TrackSid) -> None:
        """Drop all pictures of a track."""
        with self._lock:
            self._bytes -= sum(each.size_bytes for each in self._tracks.pop(track, ()))

    def at(self, track: TrackSid, time_us: int) -> Picture | None:
        """Return the newest picture of `track` at or before `time_us`, and drop older ones."""
        with self._lock:
            waiting = self._tracks.get(track)
            if not waiting or waiting[0].time_us > time_us:
                return None
            while len(waiting) > 1 and waiting[1].time_us <= time_us:
                self._drop_oldest(waiting)
            return waiting[0]

    def _drop_oldest(self, waiting: deque[Picture]) -> None:
        self._bytes -= waiting.popleft().size_bytes


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
    sound_until_us: int | None = None
    """All sound that arrived until then is here. None: there is no connection, so nothing can arrive."""
    pictures_until_us: int | None = None
    """The same of pictures: later than sound where the machine is slow."""
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
