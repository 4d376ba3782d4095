"""Which leases count as abandoned. Times are the observer's own; the date in a lease means nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tertulia.domain.ids import Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.services.recordings.leases import LeaseObserver, LeaseTiming

TIMING = LeaseTiming(abandoned_after_s=45, steady_s=10)
ROW = Recording(
    RecordingId("r"), RoomName("room"), "r.mp4", RecordingState.ACTIVE, Millis(0),
    lease_owner="another", lease_until_ms=Millis(1),
)  # fmt: skip


@pytest.fixture
def observer() -> LeaseObserver:
    return LeaseObserver(TIMING, now_s=0)


@pytest.mark.parametrize("until_ms", [0, 4_000_000_000_000])
def test_a_lease_that_stands_still_is_abandoned(observer: LeaseObserver, until_ms: int) -> None:
    row = replace(ROW, lease_until_ms=Millis(until_ms))
    assert observer.abandoned([row], now_s=100) == []
    assert observer.abandoned([row], now_s=144.9) == []
    assert observer.abandoned([row], now_s=145) == [row]


def test_a_renewed_lease_is_not(observer: LeaseObserver) -> None:
    for number in range(100):
        renewed = replace(ROW, lease_until_ms=Millis(-number))  # clocks may run backwards
        assert observer.abandoned([renewed], now_s=number * 44) == []


def test_a_lease_that_was_away_is_observed_from_the_beginning(observer: LeaseObserver) -> None:
    observer.abandoned([ROW], now_s=0)
    observer.abandoned([], now_s=40)
    assert observer.abandoned([ROW], now_s=50) == []
    assert observer.abandoned([ROW], now_s=95) == [ROW]


def test_each_lease_by_itself(observer: LeaseObserver) -> None:
    other = replace(ROW, id=RecordingId("other"))
    observer.abandoned([ROW], now_s=0)
    observer.abandoned([ROW, other], now_s=30)
    assert observer.abandoned([ROW, other], now_s=50) == [ROW]


def test_after_an_outage_of_the_database_others_get_time_to_renew(observer: LeaseObserver) -> None:
    observer.abandoned([ROW], now_s=0)
    observer.failed(now_s=100)
    assert observer.abandoned([ROW], now_s=109.9) == []
    assert observer.abandoned([ROW], now_s=110) == [ROW]


def test_a_worker_that_has_just_started_gives_nothing_up() -> None:
    observer = LeaseObserver(LeaseTiming(abandoned_after_s=1, steady_s=10), now_s=0)
    observer.abandoned([ROW], now_s=0)
    assert observer.abandoned([ROW], now_s=9) == []
    assert observer.abandoned([ROW], now_s=10) == [ROW]
