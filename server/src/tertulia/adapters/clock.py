"""The wall clock."""

from __future__ import annotations

import time

from tertulia.domain.ids import Millis
from tertulia.services.ports import Clock


class SystemClock(Clock):
    """The machine's wall clock."""

    def now_ms(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)
