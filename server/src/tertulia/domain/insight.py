"""How much went on, by steps of time: what is kept of a day in fine steps, and of a month in coarse ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from itertools import groupby
from typing import Final

from tertulia.domain.ids import Millis

FINE_STEP_S: Final = 300
COARSE_STEP_S: Final = 2 * 3600
_HOUR_MS: Final = 3_600_000
FINE_KEPT_MS: Final = 26 * _HOUR_MS
"""Older fine steps are summed up to coarse ones."""
COARSE_KEPT_MS: Final = 31 * 24 * _HOUR_MS


class InsightPeriod(StrEnum):
    """How far back insight goes."""

    DAY = "24h"
    MONTH = "30d"

    @property
    def length_ms(self) -> int:
        """The length of the period."""
        return _HOUR_MS * (24 if self is InsightPeriod.DAY else 30 * 24)

    @property
    def step_s(self) -> int:
        """The length of its steps."""
        return FINE_STEP_S if self is InsightPeriod.DAY else COARSE_STEP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What went on in one step: the most at once of what is counted, and the bytes of `covered_ms` milliseconds.

    Bytes are None where the media server does not tell them. A step of which nothing is known has no `Step`.
    """

    begin_ms: Millis
    participants: int
    rooms: int
    recordings: int
    covered_ms: int = 0
    received_bytes: int | None = None
    sent_bytes: int | None = None

    @property
    def received_bps(self) -> int | None:
        """What clients sent, in bits a second."""
        return self._bps(self.received_bytes)

    @property
    def sent_bps(self) -> int | None:
        """What clients were sent, in bits a second."""
        return self._bps(self.sent_bytes)

    def _bps(self, count: int | None) -> int | None:
        return None if count is None or self.covered_ms <= 0 else count * 8000 // self.covered_ms


def begin_of_step(at_ms: int, step_s: int) -> Millis:
    """Return when the step of an instant began: the same on all servers."""
    return Millis(at_ms - at_ms % (step_s * 1000))


def together(one: Step, other: Step) -> Step:
    """Join two servers' figures of the same time. Recordings are counted in the database, so both know all of them."""
    return replace(
        one,
        participants=one.participants + other.participants,
        rooms=one.rooms + other.rooms,
        recordings=max(one.recordings, other.recordings),
        covered_ms=max(one.covered_ms, other.covered_ms),
        received_bytes=_sum(one.received_bytes, other.received_bytes),
        sent_bytes=_sum(one.sent_bytes, other.sent_bytes),
    )


def one_after_the_other(one: Step, other: Step) -> Step:
    """Join figures of two times that lie in one step."""
    return replace(
        one,
        participants=max(one.participants, other.participants),
        rooms=max(one.rooms, other.rooms),
        recordings=max(one.recordings, other.recordings),
        covered_ms=one.covered_ms + other.covered_ms,
        received_bytes=_sum(one.received_bytes, other.received_bytes),
        sent_bytes=_sum(one.sent_bytes, other.sent_bytes),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def steps_of_all_servers(steps: Iterable[Step]) -> list[Step]:
    """Join the steps of several servers to one for each time, in order."""
    return _joined(steps, together)


def coarse_steps(steps: Iterable[Step]) -> list[Step]:
    """Sum steps up to coarse ones, in order."""
    return _joined(
        (replace(step, begin_ms=begin_of_step(step.begin_ms, COARSE_STEP_S)) for step in steps), one_after_the_other
    )


def _joined(steps: Iterable[Step], join: Callable[[Step, Step], Step]) -> list[Step]:
    ordered = sorted(steps, key=lambda step: step.begin_ms)
    return [reduce(join, same) for _begin, same in groupby(ordered, key=lambda step: step.begin_ms)]
