"""What each preset means."""

from dataclasses import dataclass
from typing import Final

from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.job import RecordingPreset


@dataclass(frozen=True, slots=True)
class Format:
    """Picture size, frame rate and bitrate of a file. `picture` is None for sound alone; then `fps` is the mix rate."""

    picture: Size | None
    fps: int
    audio_bitrate_bps: int = 128_000


FORMATS: Final = {
    RecordingPreset.HD_720P30: Format(Size(1280, 720), 30),
    RecordingPreset.FULL_HD_1080P30: Format(Size(1920, 1080), 30),
    RecordingPreset.AUDIO: Format(None, 10),
}
