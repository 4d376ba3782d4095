"""How much of one video track is decoded: a publisher may send few bytes that cost much to decode."""

from typing import Final

from tertulia_recorder.units import MICROSECOND
from tertulia_sfu.receiver import MAX_PICTURE_PIXELS

MAX_PIXELS: Final = MAX_PICTURE_PIXELS
"""The receiver lets no larger picture through where a frame's header tells; a decoder knows all."""
_MAX_PICTURES_PER_S: Final = 120
_MAX_PIXELS_PER_S: Final = 30 * MAX_PIXELS
_WINDOW_US: Final = MICROSECOND
_SUSPENDED_US: Final = 5 * MICROSECOND


class VideoBudget:
    """The pictures and pixels of one track that are decoded in a second; what sends more is suspended for a while.

    Times are of the monotonic clock. A burst of what waited while decoding was held up is not too much: pictures of
    two seconds may come at once.
    """

    def __init__(self, now_us: int) -> None:
        self._window_begun_us = now_us
        self._pictures = 0
        self._pixels = 0
        self._suspended_until_us = 0

    def is_suspended(self, now_us: int) -> bool:
        """Return whether nothing of the track is to be decoded."""
        return now_us < self._suspended_until_us

    def spend(self, pixels: int, now_us: int) -> bool:
        """Count a picture of this many pixels; return whether that was too much, and the track is suspended."""
        elapsed_us = now_us - self._window_begun_us
        if elapsed_us >= _WINDOW_US:
            windows = elapsed_us // _WINDOW_US
            self._window_begun_us += windows * _WINDOW_US
            self._pictures = max(0, self._pictures - windows * _MAX_PICTURES_PER_S)
            self._pixels = max(0, self._pixels - windows * _MAX_PIXELS_PER_S)
        self._pictures += 1
        self._pixels += pixels
        if self._pictures <= 2 * _MAX_PICTURES_PER_S and self._pixels <= 2 * _MAX_PIXELS_PER_S:
            return False
        self.suspend(now_us)
        return True

    def suspend(self, now_us: int) -> None:
        """Decode nothing of the track for a while."""
        self._suspended_until_us = now_us + _SUSPENDED_US
        self._pictures = self._pixels = 0
