"""Idempotency keys: the same request acts once, also when it comes twice at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.services import Installation
from tertulia.domain.ids import Millis
from tertulia.errors import InvalidInput
from tertulia.services.idempotency import LIFETIME_MS
from tertulia.services.ports import IdempotencyKey
from tertulia.services.rooms import RoomOptions

KEY = IdempotencyKey(scope="s", key="k", fingerprint="f")


@pytest.fixture
def options(inst: Installation) -> RoomOptions:
    return RoomOptions(expires_at_ms=Millis(inst.clock.now + 20 * LIFETIME_MS))


async def test_a_key_counts_for_a_day(inst: Installation, options: RoomOptions):
    """Also when its row has not been deleted yet."""
    first = await inst.rooms.create(options, idempotency_key=KEY)
    inst.clock.now += LIFETIME_MS - 1
    assert await inst.rooms.create(options, idempotency_key=KEY) == first
    inst.clock.now += 1
    assert await inst.rooms.create(options, idempotency_key=KEY) != first


async def test_a_key_counts_after_the_room_has_expired(inst: Installation):
    """A client that lost the first answer gets it whenever it asks again; a new request is refused as ever."""
    options = RoomOptions(expires_at_ms=Millis(inst.clock.now + 1000))
    first = await inst.rooms.create(options, idempotency_key=KEY)
    inst.clock.now += 5000
    await inst.meetings.close_expired_rooms()
    assert await inst.rooms.create(options, idempotency_key=KEY) == first
    for key in (None, replace(KEY, key="l"), replace(KEY, fingerprint="g")):
        with pytest.raises(InvalidInput):
            await inst.rooms.create(options, idempotency_key=key)


async def test_at_the_same_time(inst: Installation, options: RoomOptions):
    created = await asyncio.gather(*(inst.rooms.create(options, idempotency_key=KEY) for _ in range(20)))
    assert len({room.name for room in created}) == 1


async def test_another_body_is_refused(inst: Installation, options: RoomOptions):
    await inst.rooms.create(options, idempotency_key=KEY)
    with pytest.raises(InvalidInput) as refused:
        await inst.rooms.create(options, idempotency_key=replace(KEY, fingerprint="g"))
    assert [problem.field for problem in refused.value.problems] == ["Idempotency-Key"]


async def test_other_keys_scopes_and_no_key(inst: Installation, options: RoomOptions):
    keys = [KEY, replace(KEY, key="l"), replace(KEY, scope="t"), None, None]
    assert len({(await inst.rooms.create(options, idempotency_key=key)).name for key in keys}) == len(keys)
