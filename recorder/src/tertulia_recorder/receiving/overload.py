"""Pictures that arrive faster than they can be decoded: which track is given up so that the rest keeps up."""

from collections import defaultdict
from typing import Final

from tertulia_recorder.units import MICROSECOND

_MAX_LAG_US: Final = MICROSECOND
"""What waits less is in time: composing waits for it."""
_PATIENCE_US: Final = MICROSECOND // 2
"""After the process stood still the lag is long too, but it shrinks."""


class Overload:
    """Observes how long pictures wait for their decoder, and what each section (by its mid) costs.

    Times are of the monotonic clock.
    """

    def __init__(self) -> None:
        self._spent_us: defaultdict[str, int] = defaultdict(int)
        self._least_us = 0
        self._since_us: int | None = None

    def spend(self, mid: str, spent_us: int) -> None:
        """Count what decoding a picture took."""
        self._spent_us[mid] += spent_us

    def section_to_drop(self, now_us: int, lag_us: int) -> str | None:
        """Return the section that costs most, if a picture that has waited for `lag_us` shows that it is too much."""
        if lag_us < _MAX_LAG_US:
            self._since_us = None
            return None
        if self._since_us is None or lag_us < self._least_us:
            self._since_us, self._least_us = now_us, lag_us
        if now_us - self._since_us < _PATIENCE_US or not self._spent_us:
            return None
        mid = max(self._spent_us, key=self._spent_us.__getitem__)
        self._spent_us.clear()  # the next one is what costs most from now on
        self._since_us = None
        return mid
