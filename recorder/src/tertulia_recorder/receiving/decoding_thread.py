"""The thread that decodes what a connection receives."""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.scene import TrackSid
from tertulia_recorder.units import MICROSECOND
from tertulia_sfu.receiver import Receiver

_log = logging.getLogger(__name__)

_PERIOD_S: Final = 0.04
"""Larger portions cost less, and nothing waits for a single frame."""


class DecodingThread(threading.Thread):
    """Decodes 25 times a second, until `close`."""

    def __init__(self, receiver: Receiver, media_buffer: MediaBuffer) -> None:
        super().__init__(name="decode", daemon=True)
        self.tracks: Mapping[str, TrackSid] = {}
        """The tracks by the section (mid) that carries them; replaced as a whole, never changed."""
        self._receiver = receiver
        self._media_buffer = media_buffer
        self._closing = threading.Event()

    def close(self) -> None:
        """End the thread; what has arrived so far is still decoded."""
        self._closing.set()

    def run(self) -> None:
        """Load the decoder, then decode what arrives. After a defect the connection finds the thread dead, and ends."""
        try:
            self._run()
        except Exception:  # noqa: BLE001 - whatever it is, composing must not wait for media
            _log.exception("what arrives cannot be decoded further")
        finally:
            self._media_buffer.sound_until_us = self._media_buffer.pictures_until_us = None

    def _run(self) -> None:
        # NumPy and FFmpeg take a quarter of a second to load: the meeting is joined meanwhile.
        from tertulia_recorder.receiving.decoding import MediaDecoder  # noqa: PLC0415

        decoder = MediaDecoder(self._receiver, self._media_buffer)
        previous_us = monotonic_us()
        while not self._closing.wait(_PERIOD_S):
            now_us = monotonic_us()
            self._media_buffer.decoding_lag_us = max(0, now_us - previous_us - int(2 * _PERIOD_S * MICROSECOND))
            decoder.advance(self.tracks)
            previous_us = now_us
        decoder.finish(self.tracks)
