"""From encoded frames to the media_buffer: a thread that takes what has come, decodes it, and says when it was."""

import logging
import threading
from collections.abc import Mapping
from typing import Final

import av
import numpy as np

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.drawing.gallery import picture_of
from tertulia_recorder.pipeline.mixer import CHANNELS, Pcm
from tertulia_recorder.pipeline.pipeline import MediaBuffer
from tertulia_recorder.receiving.rtp_clock import RtpClock
from tertulia_recorder.scene import TrackSid
from tertulia_recorder.units import MICROSECOND, SAMPLE_RATE_HZ
from tertulia_sfu.receiver import Frame, Receiver

log = logging.getLogger(__name__)

_EVERY_S: Final = 0.04
"""Larger portions cost less, and nothing waits for a single frame."""
_SOUND_CODEC: Final = "opus"
_PICTURE_DECODERS: Final = {"vp8": "vp8", "vp9": "vp9", "h264": "h264", "av1": "libdav1d"}
_SHORT_GAP: Final = SAMPLE_RATE_HZ * 120 // 1000
"""The longest Opus packet: a few lost ones are silence inside a piece of sound."""


class _Sound:
    """Decodes one track's packets, and joins those that follow each other."""

    def __init__(self, track: TrackSid) -> None:
        self.track = track
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.sample_rate = SAMPLE_RATE_HZ
        self._decoder.layout = "stereo"
        self._decoder.format = av.AudioFormat("s16")
        self._clock = RtpClock(SAMPLE_RATE_HZ)
        self._pieces: list[Pcm] = []
        self._begun_us = 0
        self._next_rtp = 0

    def take(self, frame: Frame, now_us: int, media_buffer: MediaBuffer) -> None:
        pieces = [_samples(each) for each in self._decoder.decode(av.Packet(frame.data))]
        samples = sum(len(piece) for piece in pieces)
        # a packet leaves when its last sample has been spoken
        begun_us = self._clock.time_us(frame.rtp_time + samples, now_us - frame.age_us) - _microseconds(samples)
        gap = frame.rtp_time - self._next_rtp
        if self._pieces and 0 < gap <= _SHORT_GAP:
            self._pieces.append(np.zeros((gap, CHANNELS), np.int16))
        elif not self._pieces or gap:
            self.flush(media_buffer)
            self._begun_us = begun_us
        self._pieces += pieces
        self._next_rtp = frame.rtp_time + samples

    def flush(self, media_buffer: MediaBuffer) -> None:
        """Hand over what has come together."""
        if self._pieces:
            media_buffer.add_sound(self.track, np.concatenate(self._pieces), self._begun_us)
            self._pieces = []

    def end(self, now_us: int, media_buffer: MediaBuffer) -> None:
        self.flush(media_buffer)
        media_buffer.end_sound(self.track, now_us)


class _Pictures:
    """Decodes one track's pictures."""

    def __init__(self, track: TrackSid, codec: str, clock_hz: int) -> None:
        self.track = track
        self.codec = codec
        decoder = av.CodecContext.create(_PICTURE_DECODERS[codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - the table has no others
        self._decoder = decoder
        # frame threads would hold pictures back, and one is fast enough
        self._decoder.thread_count = 1
        self._clock = RtpClock(clock_hz)

    def take(self, frame: Frame, now_us: int, media_buffer: MediaBuffer) -> None:
        time_us = self._clock.time_us(frame.rtp_time, now_us - frame.age_us)
        for decoded in self._decoder.decode(av.Packet(frame.data)):
            picture = picture_of(decoded, frame.quarter_turns, time_us)
            if picture is not None:
                media_buffer.gallery.add(self.track, picture)

    def flush(self, media_buffer: MediaBuffer) -> None:
        """Nothing waits here."""

    def end(self, now_us: int, media_buffer: MediaBuffer) -> None:
        """Those who look decide when a last picture goes."""


class Decoding:
    """Fills the media_buffer from one connection. Knows no thread and no clock of its own."""

    def __init__(self, source: Receiver, media_buffer: MediaBuffer) -> None:
        self._source = source
        self._media_buffer = media_buffer
        self._carried: Mapping[str, TrackSid] = {}
        self._decoders: dict[str, _Sound | _Pictures] = {}
        self._complained: set[TrackSid] = set()

    def carry(self, tracks: Mapping[str, TrackSid]) -> None:
        """Say which section carries which track from now on."""
        self._carried = dict(tracks)

    def advance(self, now_us: int) -> None:
        """Decode and hand over what has come until now."""
        carried = self._carried
        self._end_old(carried, now_us)
        read_until_us = now_us - self._source.behind_us
        for frame in self._source.drain():
            track = carried.get(frame.mid)
            if track is not None and (frame.codec == _SOUND_CODEC or frame.codec in _PICTURE_DECODERS):
                self._take(track, frame, now_us)
        for decoder in self._decoders.values():
            decoder.flush(self._media_buffer)
        self._media_buffer.handed_over_us = read_until_us

    def finish(self, now_us: int) -> None:
        """Hand over the rest, and say that nothing more can come."""
        self.advance(now_us)
        for decoder in self._decoders.values():
            decoder.end(now_us, self._media_buffer)
        self._decoders.clear()
        self._media_buffer.handed_over_us = None

    def _end_old(self, carried: Mapping[str, TrackSid], now_us: int) -> None:
        for mid, decoder in list(self._decoders.items()):
            if carried.get(mid) != decoder.track:
                del self._decoders[mid]
                decoder.end(now_us, self._media_buffer)

    def _take(self, track: TrackSid, frame: Frame, now_us: int) -> None:
        decoder = self._decoders.get(frame.mid)
        if decoder is None or (isinstance(decoder, _Pictures) and decoder.codec != frame.codec):
            decoder = self._decoders[frame.mid] = _decoder(track, frame)
        try:
            decoder.take(frame, now_us, self._media_buffer)
        except Exception:
            # One publisher's garbage must not end a recording of everybody, nor fill the log.
            if track not in self._complained:
                self._complained.add(track)
                log.exception("track %s cannot be decoded", track)
            if isinstance(decoder, _Pictures):
                del self._decoders[frame.mid]
                self._source.restart(frame.mid)


class DecodingThread(threading.Thread):
    """Drives a decoding in real time, until `close`."""

    def __init__(self, decoding: Decoding, media_buffer: MediaBuffer) -> None:
        super().__init__(name="decode", daemon=True)
        self._decoding = decoding
        self._media_buffer = media_buffer
        self._closing = threading.Event()

    def close(self) -> None:
        """End; what has come so far is still handed over."""
        self._closing.set()

    def run(self) -> None:
        """Decode again and again what has come since."""
        before_us = monotonic_us()
        while not self._closing.wait(_EVERY_S):
            now_us = monotonic_us()
            self._media_buffer.hand_over_lag_us = max(0, now_us - before_us - int(2 * _EVERY_S * MICROSECOND))
            self._decoding.advance(now_us)
            before_us = now_us
        self._decoding.finish(monotonic_us())


def _decoder(track: TrackSid, frame: Frame) -> _Sound | _Pictures:
    return _Sound(track) if frame.codec == _SOUND_CODEC else _Pictures(track, frame.codec, frame.clock_hz)


def _samples(frame: av.AudioFrame) -> Pcm:
    samples: Pcm = np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples * CHANNELS)
    return samples.reshape(-1, CHANNELS)


def _microseconds(samples: int) -> int:
    return samples * MICROSECOND // SAMPLE_RATE_HZ
