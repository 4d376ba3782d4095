"""Encodes and writes the file: H.264 and AAC in an MP4 that is playable after every single write.

Meanwhile the file is fragmented (half a second each, passed to the system at once; the first one is shorter, so that
there is media on the disk soon). `Muxer.close` turns it into a plain, seekable MP4 by writing one index and one header
in place (FFmpeg's "hybrid fragmented" form), which takes well below a second for an hour.
"""

from fractions import Fraction
from pathlib import Path
from typing import Final, Self

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.media_buffer import Pcm
from tertulia_recorder.pipeline.formats import Format
from tertulia_recorder.units import SAMPLE_RATE_HZ

MOVIE_OPTIONS: Final = {
    "movflags": "+hybrid_fragmented+frag_keyframe",
    "frag_duration": "500000",
    "flush_packets": "1",
}
_AUDIO_FRAGMENT_US: Final = 250_000
"""Sound alone has no key frame that could end the first fragment early."""
_KEY_INTERVAL_S: Final = 2
_FIRST_KEY_INTERVAL_S: Final = 0.1
"""A key frame begins a fragment: the second one writes the first fragment."""
_BT601: Final = 6
_BT709: Final = 1
_LIMITED_RANGE: Final = 1

_X264: Final = {
    "preset": "superfast",
    "crf": "23",
    # Two threads cost a quarter more CPU; one encodes 1080p30 in less than half of its time.
    "threads": "1",
    # Without look-ahead a frame is in the file as soon as it is encoded: less is lost when the process is killed.
    "x264-params": "rc-lookahead=0:sync-lookahead=0:mbtree=0:bframes=0",
}


class Muxer:
    """One media file being written. Raises OSError when the disk refuses; what is written stays playable."""

    def __init__(self, path: Path, format_: Format) -> None:
        options = dict(MOVIE_OPTIONS)
        if format_.picture is None:
            options["frag_duration"] = str(_AUDIO_FRAGMENT_US)
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._fps = format_.fps
        self._video = None if format_.picture is None else self._add_video(format_.picture)
        self._audio = self._add_audio(format_.audio_bitrate_bps)
        self._next_key = 0

    def _add_video(self, size: Size) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=self._fps, options=dict(_X264))
        context: VideoCodecContext = stream.codec_context
        context.width, context.height, context.pix_fmt = size.w, size.h, "yuv420p"
        context.time_base = Fraction(1, self._fps)
        context.gop_size = _KEY_INTERVAL_S * self._fps
        context.max_b_frames = 0
        # Browsers use the matrix only beside the other two: without them HD is taken for BT.709, and red is orange.
        context.color_primaries, context.color_trc = _BT709, _BT709
        context.colorspace, context.color_range = _BT601, _LIMITED_RANGE
        return stream

    def _add_audio(self, bitrate_bps: int) -> AudioStream:
        stream = self._container.add_stream("aac", rate=SAMPLE_RATE_HZ)
        context: AudioCodecContext = stream.codec_context
        context.layout, context.bit_rate = "stereo", bitrate_bps
        context.time_base = Fraction(1, SAMPLE_RATE_HZ)
        return stream

    def write_video(self, frame: av.VideoFrame, tick: int) -> None:
        """Encode a frame as number `tick`; numbers rise, and may skip some (the previous frame stays longer)."""
        if self._video is None:
            raise ValueError("this file has no picture")
        frame.pts, frame.time_base = tick, Fraction(1, self._fps)
        frame.pict_type = PictureType.NONE
        if tick >= self._next_key:
            # By time, not by count: a lowered frame rate must not make seeking coarser.
            interval_s = _KEY_INTERVAL_S if tick else _FIRST_KEY_INTERVAL_S
            frame.pict_type, self._next_key = PictureType.I, tick + round(interval_s * self._fps)
        self._container.mux(self._video.encode(frame))

    def write_audio(self, pcm: Pcm, start_sample: int) -> None:
        """Encode one block: int16, shape (AUDIO_BLOCK, CHANNELS), or shorter at the very end."""
        planar = np.ascontiguousarray(pcm.T.astype(np.float32) / 32768)
        frame = av.AudioFrame.from_ndarray(planar, "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, start_sample, Fraction(1, SAMPLE_RATE_HZ)
        self._container.mux(self._audio.encode(frame))

    def close(self) -> None:
        """Flush the encoders and write the index."""
        try:
            for stream in (self._video, self._audio):
                if stream is not None:
                    self._container.mux(stream.encode(None))
        finally:
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
