"""The feed of events, over a real store: order, breaks, and its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

import pytest

from support.rest import now_ms
from support.services import ManualClock
from tertulia.adapters.sql.store import SqlStore
from tertulia.domain.events import Event, EventKind, StoredEvent
from tertulia.domain.ids import Millis, SessionId
from tertulia.errors import Unavailable
from tertulia.services import events as module
from tertulia.services.events import EventFeed, EventLog, FeedEnd, FeedItem, FeedStart
from tertulia.services.ports import LoginSession

ME = SessionId("me")
Feed = AsyncGenerator[FeedItem]


class Setup:
    def __init__(self, store: SqlStore) -> None:
        self.store, self.clock, self.log, self.now_s = store, ManualClock(now_ms()), EventLog(store), 0.0
        self.feed = self.new_feed()

    def new_feed(self) -> EventFeed:
        return EventFeed(store=self.store, clock=self.clock, now_s=lambda: self.now_s)

    async def happens(self, *names: str) -> None:
        for name in names:
            self.log.note(Event(EventKind.ROOM_CHANGED, {"roomName": name}))
        await self.log.flush()
        await self.feed.poll()

    def follow(self, after: int | None = None, feed: EventFeed | None = None) -> aclosing[Feed]:
        following: AsyncIterator[FeedItem] = (feed or self.feed).follow(ME, after)
        return aclosing(cast("Feed", following))


@pytest.fixture
async def setup(store: SqlStore) -> Setup:
    made = Setup(store)
    until = Millis(made.clock.now + 1000)
    await store.write(lambda tx: tx.accounts.add_session(LoginSession(ME, "admin", "x", until)))
    return made


async def names(feed: Feed, count: int) -> list[object]:
    found = []
    for _ in range(count):
        item = await anext(feed)
        assert isinstance(item, StoredEvent)
        found.append(item.event.data["roomName"])
    return found


async def test_what_happens_is_told_in_order(setup: Setup):
    await setup.happens("before")
    async with setup.follow() as feed:
        start = await anext(feed)
        assert start == FeedStart(1, resumed=False)
        await setup.happens("a", "b")
        assert await names(feed, 2) == ["a", "b"]


async def test_after_a_break_another_server_goes_on(setup: Setup):
    await setup.happens("a", "b", "c")
    async with setup.follow(after=1, feed=setup.new_feed()) as feed:
        assert await anext(feed) == FeedStart(1, resumed=True)
        assert await names(feed, 2) == ["b", "c"]


async def test_a_client_that_was_away_for_too_long_is_told(setup: Setup):
    await setup.happens("a")
    async with setup.follow(after=999) as feed:
        assert await anext(feed) == FeedStart(1, resumed=False)


async def test_a_client_that_reads_too_slowly_is_told(setup: Setup):
    async with setup.follow() as feed:
        await anext(feed)
        await setup.happens("first")
        for _ in range(module.HISTORY // 500 + 1):
            await setup.happens(*("x" for _ in range(500)))
        assert await anext(feed) == FeedStart(1 + 2500, resumed=False)


async def test_an_event_of_a_longer_transaction_is_not_lost(setup: Setup):
    """PostgreSQL gives ids before transactions are committed: a lower one may come later."""
    await setup.happens("a", "b", "c")

    def delete(tx) -> None:
        tx._connection.exec_driver_sql("DELETE FROM events WHERE id = 2")

    def commit(tx) -> None:
        tx._connection.exec_driver_sql(
            f"""INSERT INTO events VALUES (2, {setup.clock.now}, 'roomChanged', '{{"roomName": "late"}}')"""
        )

    await setup.store.write(delete)
    async with setup.follow() as feed:
        await anext(feed)
        await setup.store.write(commit)
        await setup.feed.poll()
        assert await names(feed, 1) == ["late"]
        setup.now_s += module.LATE_S + 1
        await setup.happens("d")
        await setup.happens("e")
        assert await names(feed, 2) == ["d", "e"]


async def test_the_feed_ends_with_the_session(setup: Setup):
    async with setup.follow() as feed:
        await anext(feed)
        await setup.store.write(lambda tx: tx.accounts.delete_sessions())
        await setup.feed.poll()
        assert await anext(feed) == FeedEnd()
        with pytest.raises(StopAsyncIteration):
            await anext(feed)


async def test_the_feed_ends_when_the_session_expires(setup: Setup):
    async with setup.follow() as feed:
        await anext(feed)
        setup.clock.now += 1001
        await setup.feed.poll()
        assert await anext(feed) == FeedEnd()


async def test_a_server_that_stops_ends_its_feeds_and_begins_none(setup: Setup):
    async with setup.follow() as feed:
        await anext(feed)
        setup.feed.close()
        with pytest.raises(StopAsyncIteration):
            await anext(feed)
    async with setup.follow() as feed:
        with pytest.raises(Unavailable):
            await anext(feed)


async def test_silence_is_told(setup: Setup, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.01)
    async with setup.follow() as feed:
        await anext(feed)
        assert await anext(feed) is None


async def test_without_a_listener_nothing_is_read(setup: Setup, monkeypatch: pytest.MonkeyPatch):
    async def read(_work: object) -> None:
        raise AssertionError("nobody listens")

    monkeypatch.setattr(setup.store, "read", read)
    await setup.feed.poll()


async def test_the_history_is_bounded(setup: Setup, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "HISTORY", 3)
    await setup.happens(*"abcdef")
    await setup.feed.forget()
    kept = await setup.store.read(lambda tx: tx.events.newest(limit=100))
    assert [each.event.data["roomName"] for each in kept] == ["d", "e", "f"]
