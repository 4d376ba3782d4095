"""Decodes encoded frames into the media buffer, with the time at which they were sent."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import av
import numpy as np

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.drawing.pictures import picture_of
from tertulia_recorder.media_buffer import MediaBuffer, Pcm
from tertulia_recorder.receiving.overload import Overload
from tertulia_recorder.receiving.rtp_clock import RtpClock
from tertulia_recorder.receiving.video_budget import MAX_PIXELS, VideoBudget
from tertulia_recorder.scene import TrackSid
from tertulia_recorder.units import CHANNELS, MICROSECOND, SAMPLE_RATE_HZ
from tertulia_sfu.receiver import Frame, Receiver

_log = logging.getLogger(__name__)

_SOUND_PERIOD_US: Final = 40_000
"""How often sound is decoded while pictures take longer."""
_VIDEO_DECODERS: Final = {"vp8": "vp8", "vp9": "vp9", "h264": "h264", "av1": "libdav1d"}
_MAX_FILLED_GAP: Final = SAMPLE_RATE_HZ * 120 // 1000
"""The longest Opus packet: a few lost ones are silence inside a chunk of sound."""


class _AudioDecoder:
    """Decodes one track's packets, and joins those that follow each other."""

    def __init__(self, track: TrackSid) -> None:
        self.track = track
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.sample_rate = SAMPLE_RATE_HZ
        self._decoder.layout = "stereo"
        self._decoder.format = av.AudioFormat("s16")
        self._clock = RtpClock(SAMPLE_RATE_HZ)
        self._chunks: list[Pcm] = []
        self._start_us = 0
        self._next_rtp = 0

    def decode(self, frame: Frame, arrived_us: int, media_buffer: MediaBuffer) -> None:
        chunks = [_samples(each) for each in self._decoder.decode(av.Packet(frame.data))]
        samples = sum(len(chunk) for chunk in chunks)
        # A packet is sent after its last sample was recorded.
        start_us = self._clock.time_us(frame.rtp_time + samples, arrived_us) - samples * MICROSECOND // SAMPLE_RATE_HZ
        gap = frame.rtp_time - self._next_rtp
        if self._chunks and 0 < gap <= _MAX_FILLED_GAP:
            self._chunks.append(np.zeros((gap, CHANNELS), np.int16))
        elif not self._chunks or gap:
            self.flush(media_buffer)
            self._start_us = start_us
        self._chunks += chunks
        self._next_rtp = frame.rtp_time + samples

    def flush(self, media_buffer: MediaBuffer) -> None:
        if self._chunks:
            media_buffer.add_sound(self.track, np.concatenate(self._chunks), self._start_us)
            self._chunks = []

    def end(self, now_us: int, media_buffer: MediaBuffer) -> None:
        self.flush(media_buffer)
        media_buffer.end_sound(self.track, now_us)


class _VideoDecoder:
    """Decodes one track's pictures."""

    def __init__(self, track: TrackSid, codec: str, clock_hz: int) -> None:
        self.track = track
        self.codec = codec
        decoder = av.CodecContext.create(_VIDEO_DECODERS[codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - the table has no others
        self._decoder = decoder
        # Frame threads would delay pictures, and one thread is fast enough.
        self._decoder.thread_count = 1
        # Checked before anything is allocated for the picture, by each of the decoders.
        self._decoder.options = {"max_pixels": str(MAX_PIXELS)}
        self._clock = RtpClock(clock_hz)
        self.decoded_pixels = 0

    def decode(self, frame: Frame, arrived_us: int, media_buffer: MediaBuffer) -> None:
        time_us = self._clock.time_us(frame.rtp_time, arrived_us)
        for decoded in self._decoder.decode(av.Packet(frame.data)):
            self.decoded_pixels += decoded.width * decoded.height
            picture = picture_of(decoded, frame.quarter_turns, time_us)
            if picture is not None:
                media_buffer.pictures.add(self.track, picture)


class MediaDecoder:
    """Fills the media buffer from one connection, with one decoder for each media section that carries a track.

    Sound first: it costs little, and is never dropped. Pictures may take longer than there is time; sound is decoded in
    between, and pictures of one track after the other are given up for a while until the others are in time.
    """

    def __init__(self, receiver: Receiver, media_buffer: MediaBuffer, now_us: Callable[[], int] = monotonic_us) -> None:
        self._receiver = receiver
        self._media_buffer = media_buffer
        self._now_us = now_us
        self._audio: dict[str, _AudioDecoder] = {}
        self._video: dict[str, _VideoDecoder] = {}
        self._sound_decoded_us = 0
        self._budgets: dict[TrackSid, VideoBudget] = {}
        self._overload = Overload()
        self._reported: set[TrackSid] = set()

    def advance(self, tracks: Mapping[str, TrackSid]) -> None:
        """Decode what has arrived until now; `tracks` are by the id (mid) of the section that carries them."""
        self._end_replaced(tracks)
        self._decode_sounds(tracks)
        received_until_us = self._now_us() - self._receiver.behind_us
        frames = self._receiver.drain_video()
        drained_us = self._now_us()
        waiting = deque((frame, drained_us - frame.age_us) for frame in frames if frame.mid in tracks)
        while waiting:
            frame, arrived_us = waiting.popleft()
            self._media_buffer.pictures_until_us = max(self._media_buffer.pictures_until_us or 0, arrived_us)
            self._decode_picture(tracks[frame.mid], frame, arrived_us)
            now_us = self._now_us()
            if now_us - self._sound_decoded_us >= _SOUND_PERIOD_US:
                self._decode_sounds(tracks)
            mid = self._overload.section_to_drop(now_us, now_us - arrived_us)
            if mid is not None and mid in tracks:
                self._suspend(mid, tracks[mid], "the machine is too slow for all pictures")
                self._receiver.restart(mid)
                waiting = deque(each for each in waiting if each[0].mid != mid)
        self._media_buffer.pictures_until_us = received_until_us

    def finish(self, tracks: Mapping[str, TrackSid]) -> None:
        """Decode the rest, and mark that nothing more can arrive."""
        self.advance(tracks)
        for decoder in self._audio.values():
            decoder.end(self._now_us(), self._media_buffer)
        self._audio.clear()
        self._video.clear()
        self._media_buffer.sound_until_us = self._media_buffer.pictures_until_us = None

    def _end_replaced(self, tracks: Mapping[str, TrackSid]) -> None:
        for mid, decoder in list(self._audio.items()):
            if tracks.get(mid) != decoder.track:
                del self._audio[mid]
                decoder.end(self._now_us(), self._media_buffer)
        # the scene decides how long a last picture is shown
        self._video = {mid: each for mid, each in self._video.items() if tracks.get(mid) == each.track}

    # ── sound ──

    def _decode_sounds(self, tracks: Mapping[str, TrackSid]) -> None:
        self._sound_decoded_us = self._now_us()
        received_until_us = self._sound_decoded_us - self._receiver.behind_us
        frames = self._receiver.drain_audio()
        # A frame's age counts to the call that takes it. The time after it is at most too late, which is jitter like
        # any other; the time before it would be too early if the process is held up in between, and the earliest
        # arrivals are what sets a track's clock.
        drained_us = self._now_us()
        for frame in frames:
            track = tracks.get(frame.mid)
            if track is not None:
                self._decode_sound(track, frame, drained_us - frame.age_us)
        for decoder in self._audio.values():
            decoder.flush(self._media_buffer)
        self._media_buffer.sound_until_us = received_until_us

    def _decode_sound(self, track: TrackSid, frame: Frame, arrived_us: int) -> None:
        decoder = self._audio.get(frame.mid)
        if decoder is None:
            decoder = self._audio[frame.mid] = _AudioDecoder(track)
        try:
            decoder.decode(frame, arrived_us, self._media_buffer)
        except Exception:  # noqa: BLE001 - one publisher's garbage must neither end the recording nor fill the log
            self._report(track)

    # ── pictures ──

    def _decode_picture(self, track: TrackSid, frame: Frame, arrived_us: int) -> None:
        if frame.is_refused:
            self._suspend(frame.mid, track, "its pictures are too large or too many")
            self._media_buffer.pictures.remove(track)
            return
        begun_us = self._now_us()
        budget = self._budget(track, begun_us)
        if frame.codec not in _VIDEO_DECODERS or budget.is_suspended(begun_us):
            return
        decoder = self._video.get(frame.mid)
        if decoder is None or decoder.codec != frame.codec:
            decoder = self._video[frame.mid] = _VideoDecoder(track, frame.codec, frame.clock_hz)
        before = decoder.decoded_pixels
        try:
            decoder.decode(frame, arrived_us, self._media_buffer)
        except MemoryError:
            del decoder
            self._suspend(frame.mid, track, "there is no memory for its pictures")
            self._media_buffer.pictures.remove(track)
        except Exception:  # noqa: BLE001 - as above
            self._report(track)
            del self._video[frame.mid]
            if frame.is_key:  # otherwise something was lost: the last picture is shown until the next key frame
                self._media_buffer.pictures.remove(track)
            self._receiver.restart(frame.mid)
        else:
            now_us = self._now_us()
            self._overload.spend(frame.mid, now_us - begun_us)
            if budget.spend(decoder.decoded_pixels - before, now_us):
                self._suspend(frame.mid, track, "it sends more pictures than are decoded")
                self._media_buffer.pictures.remove(track)

    def _suspend(self, mid: str, track: TrackSid, reason: str) -> None:
        """Decode no picture of a track for a while; the next one needs a new decoder, and that one a key frame."""
        self._video.pop(mid, None)
        now_us = self._now_us()
        self._budget(track, now_us).suspend(now_us)
        _log.warning("track %s is suspended: %s", track, reason)

    def _budget(self, track: TrackSid, now_us: int) -> VideoBudget:
        return self._budgets.setdefault(track, VideoBudget(now_us))

    def _report(self, track: TrackSid) -> None:
        if track not in self._reported:
            self._reported.add(track)
            _log.exception("track %s cannot be decoded", track)


def _samples(frame: av.AudioFrame) -> Pcm:
    samples: Pcm = np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples * CHANNELS)
    return samples.reshape(-1, CHANNELS)
