"""API keys: several with names, rotated without a gap, revoked; and the configured or the initial one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.services import ManualClock
from tertulia.adapters.sql.store import SqlStore
from tertulia.domain.api_keys import CONFIGURED, INITIAL, ApiKey
from tertulia.domain.ids import ApiKeyId, Millis
from tertulia.errors import Conflict, NotFound
from tertulia.services.api_keys import MAX_KEYS, ApiKeyService

HOUR_MS = 3_600_000
New = Callable[..., ApiKeyService]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(store: SqlStore, clock: ManualClock) -> New:
    def made(configured: str | None = None) -> ApiKeyService:
        return ApiKeyService(store=store, clock=clock, secret_key="k" * 20, configured=configured)

    return made


async def accepts(keys: ApiKeyService, offered: str) -> bool:
    return await keys.identify(offered) is not None


async def only(keys: ApiKeyService, key_id: str) -> ApiKey:
    return next(key for key in await keys.all() if key.id == key_id)


async def test_the_initial_key(service: New, clock: ManualClock):
    keys = service()
    generated = await keys.prepare()
    assert generated is not None
    assert await accepts(keys, generated)
    assert not await accepts(keys, generated + "x")
    assert not await accepts(keys, "ä")
    assert not await accepts(keys, "")
    assert await service().prepare() is None  # a restart
    replaced = await service().replace_initial()  # `tertulia keys rotate` in another process
    clock.now += 1000
    assert (await accepts(keys, replaced), await accepts(keys, generated)) == (True, False)
    configured = service("of the settings")
    assert (await accepts(configured, "of the settings"), await accepts(configured, replaced)) == (True, False)


async def test_the_initial_key_rotates_and_is_revoked_as_the_others(service: New, clock: ManualClock):
    keys = service()
    generated = await keys.prepare()
    assert generated is not None
    newer = await keys.rotate(INITIAL, grace_ms=HOUR_MS)
    assert await accepts(keys, generated)
    assert await accepts(keys, newer.secret)
    assert await accepts(service(), newer.secret)
    clock.now += HOUR_MS
    assert (await accepts(keys, generated), await accepts(keys, newer.secret)) == (False, True)
    await keys.revoke(INITIAL)
    assert not await accepts(keys, newer.secret)
    assert await keys.all() == []
    assert await service().prepare() is None, "what was revoked does not come back at the next start"
    with pytest.raises(NotFound):
        await keys.rotate(INITIAL, grace_ms=0)
    again = await keys.replace_initial()
    assert await accepts(keys, again)


async def test_named_keys(service: New, clock: ManualClock):
    keys, other = service("of the settings"), service("of the settings")
    made = await keys.create("intranet")
    assert not await accepts(other, "wrong")  # it knows the keys as they were
    assert await accepts(keys, made.secret)
    clock.now += 1000
    assert await accepts(other, made.secret)
    assert [key.name for key in await keys.all()] == ["", "intranet"]
    assert await keys.identify(made.secret) == made.key.id
    assert await keys.identify("of the settings") == CONFIGURED

    rotated = await keys.rotate(made.key.id, grace_ms=HOUR_MS)
    assert rotated.key.previous_until_ms == clock.now + HOUR_MS
    assert await accepts(keys, made.secret)
    assert await accepts(keys, rotated.secret)
    once_more = await keys.rotate(made.key.id, grace_ms=HOUR_MS)
    assert not await accepts(keys, made.secret), "only the last secret before counts"
    assert await accepts(keys, rotated.secret)
    clock.now += HOUR_MS
    assert not await accepts(keys, rotated.secret)
    assert (await only(keys, made.key.id)).previous_until_ms is None
    at_once = await keys.rotate(made.key.id, grace_ms=0)
    assert (await accepts(keys, once_more.secret), await accepts(keys, at_once.secret)) == (False, True)

    assert await accepts(other, at_once.secret)
    await keys.rotate(made.key.id, grace_ms=HOUR_MS)
    await keys.revoke(made.key.id)
    assert not await accepts(keys, at_once.secret), "neither secret outlives its key"
    clock.now += 1000
    assert not await accepts(other, at_once.secret)


async def test_what_cannot_be_changed(service: New):
    keys = service("of the settings")
    for change in (keys.revoke(CONFIGURED), keys.rotate(CONFIGURED, grace_ms=0)):
        with pytest.raises(Conflict):
            await change
    for unknown in (INITIAL, ApiKeyId("none"), ApiKeyId("")):
        with pytest.raises(NotFound):
            await keys.revoke(unknown)
    with pytest.raises(NotFound):
        await service().revoke(CONFIGURED)


async def test_there_is_a_limit(service: New):
    keys = service("of the settings")
    for number in range(MAX_KEYS - 1):
        await keys.create(f"key {number}")
    with pytest.raises(Conflict):
        await keys.create("one more")


async def test_uses_are_written_once_a_minute(service: New, store: SqlStore, clock: ManualClock):
    keys, other = service("of the settings"), service("of the settings")
    made = await keys.create("intranet")

    async def written() -> Millis | None:
        kept = await store.read(lambda tx: tx.api_keys.all())
        return next(key.last_used_at_ms for key in kept if key.id == made.key.id)

    assert (await only(keys, made.key.id)).last_used_at_ms is None
    first = clock.now
    assert await accepts(keys, made.secret)
    assert (await only(keys, made.key.id)).last_used_at_ms == first
    await keys.write_uses()
    assert await written() == first
    for used_by in (keys, other):
        clock.now += 20_000
        assert await accepts(used_by, made.secret)
        await used_by.write_uses()
        assert await written() == first
    clock.now += 20_000
    assert await accepts(keys, made.secret)
    await keys.write_uses()
    assert await written() == first + 60_000


@pytest.mark.parametrize("configured", [None, "of the settings"])
async def test_uses_of_the_first_key_are_written_too(service: New, configured: str | None):
    keys = service(configured)
    secret = configured or await keys.prepare() or ""
    assert await accepts(keys, secret)
    await keys.write_uses()
    (told,) = await service(configured).all()
    assert told.last_used_at_ms is not None
    assert told.digest
