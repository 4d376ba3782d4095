"""When a worker may end."""

from __future__ import annotations

import asyncio

from tertulia.domain.ids import RecordingId
from tertulia.services.recordings.draining import WorkerDrain

ONE, OTHER = RecordingId("one"), RecordingId("other")


async def test_nothing_is_being_started() -> None:
    drain = WorkerDrain()
    assert not drain.is_requested
    await drain.settled()
    assert drain.is_requested


async def test_a_claim_and_what_it_starts_are_waited_for() -> None:
    drain = WorkerDrain()
    drain.starts(OTHER)
    with drain.claiming():
        settled = asyncio.ensure_future(drain.settled())
        drain.started(OTHER)
        await asyncio.sleep(0)
        drain.starts(ONE)
    await asyncio.sleep(0)
    assert not settled.done()
    drain.started(ONE)
    drain.started(ONE)
    await settled
