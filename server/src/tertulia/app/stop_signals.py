"""SIGTERM and SIGINT: the first one stops in order, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

_log = structlog.get_logger(__name__)
_NUMBERS: Final = (signal.SIGTERM, signal.SIGINT)
_SAME_S: Final = 0.2
"""Signals this close together are one: `timeout`, for example, sends one to the process and one to its group."""


def on_stop_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at the first signal, in the running event loop; at the second one the system ends the process."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        for number in _NUMBERS:
            loop.add_signal_handler(number, partial(second, number, loop.time()))
        stop()

    def second(number: signal.Signals, first_at_s: float) -> None:
        if loop.time() - first_at_s < _SAME_S:
            return
        _log.warning("ending at once", signal=number.name)
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in _NUMBERS:
        loop.add_signal_handler(number, first)
