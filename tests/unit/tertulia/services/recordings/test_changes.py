"""Wake-ups: a change of a recording wakes its watchers at once, and no other does."""

from __future__ import annotations

import asyncio

import pytest

from tertulia.domain.ids import RecordingId
from tertulia.services.recordings.changes import RecordingChanges, Wakeup

ONE, OTHER = RecordingId("one"), RecordingId("other")
LONG_S = 60.0
"""Longer than any test: a wait that ends was ended by a wake-up."""
SHORT_S = 0.01


async def is_woken(wakeup: Wakeup) -> bool:
    loop = asyncio.get_running_loop()
    began_at_s = loop.time()
    await wakeup.wait(SHORT_S)
    return loop.time() - began_at_s < SHORT_S


async def test_a_change_ends_the_wait_of_every_watcher() -> None:
    changes = RecordingChanges()
    with changes.watch(ONE) as first, changes.watch(ONE) as second:
        waits = asyncio.gather(first.wait(LONG_S), second.wait(LONG_S))
        await asyncio.sleep(0)
        changes.notify(ONE)
        async with asyncio.timeout(1):
            await waits


async def test_a_change_before_the_wait_is_not_missed() -> None:
    """The order of use is: watch, read the row, wait. The change may come while the row is read."""
    changes = RecordingChanges()
    with changes.watch(ONE) as wakeup:
        changes.notify(ONE)
        changes.notify(ONE)
        assert await is_woken(wakeup)
        assert not await is_woken(wakeup), "one wake-up, however many changes"


async def test_another_recording_wakes_nothing() -> None:
    changes = RecordingChanges()
    with changes.watch(ONE) as wakeup, changes.watch_claimable() as worker:
        changes.notify(OTHER)
        assert not await is_woken(wakeup)
        changes.notify(ONE)
        assert not await is_woken(worker)
        changes.notify_claimable()
        assert await is_woken(worker)


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_of_a_watcher(fails: bool) -> None:
    changes = RecordingChanges()
    try:
        with changes.watch(ONE), changes.watch(ONE), changes.watch_claimable():
            if fails:
                raise ValueError
    except ValueError:
        pass
    changes.notify(ONE)
    changes.notify_claimable()
    assert not changes._watchers
    assert not changes._workers
