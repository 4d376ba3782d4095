"""The wall clock."""

from __future__ import annotations

import time

from tertulia.domain.ids import Millis


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> Millis:
        """Tell the time in milliseconds since the epoch."""
        return Millis(time.time_ns() // 1_000_000)
