"""Measures whether sound and picture of a recording belong together, by a flash and a beep in every second."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from support.film import Film
from support.publisher import RATE, Publisher

_BRIGHT = 100
_LOUD = 0.15
_BLOCK = 240
_SETTLED_S = 1.5


def sound_after_picture_s(
    film: Film, publisher: Publisher, *, started_at_ms: int, until_s: float
) -> NDArray[np.float64]:
    """Return by how many seconds each beep comes after its flash, up to a time of the recording.

    What the publisher itself was late with on a busy machine is taken out: the recording shall be as it was sent.
    """
    began_at_s = started_at_ms / 1000 - time.time() + time.monotonic()
    flashed, beeped = (np.array(at) - began_at_s for at in (publisher.flashed_at_s, publisher.beeped_at_s))
    flashes, beeps = _flashes(film), _beeps(film)
    offsets = [
        (_nearest(beeps, flash) - flash) - (_nearest(beeped, flash) - _nearest(flashed, flash))
        for flash in flashes
        if _SETTLED_S < flash < until_s
    ]
    return np.array(offsets)


def _flashes(film: Film) -> NDArray[np.float64]:
    # without the upper third: the publisher's counter and the name are there
    brightness = film.rgb[:, film.rgb.shape[1] // 3 :].reshape(len(film.rgb), -1).mean(1)
    is_bright = brightness > _BRIGHT
    return np.asarray(film.times[1:][is_bright[1:] & ~is_bright[:-1]])


def _beeps(film: Film) -> NDArray[np.float64]:
    blocks = np.abs(film.sound).reshape(-1)[: len(film.sound) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    is_loud = blocks.max(1) > _LOUD
    return np.flatnonzero(is_loud[1:] & ~is_loud[:-1]) * _BLOCK / RATE


def _nearest(times: NDArray[np.float64], time_s: float) -> float:
    return float(times[np.argmin(np.abs(times - time_s))])
