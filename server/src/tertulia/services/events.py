"""Live events for administrators: written by whichever server makes a change, read by one query of each server.

The history in the store is what all servers share, so a client that comes back to another server goes on there. No
page asks the database: `EventFeed.poll` does, once for all of them, and only while one listens.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from tertulia.domain.events import Event, StoredEvent
from tertulia.domain.ids import SessionId
from tertulia.errors import Unavailable
from tertulia.services.ports import Clock, Store, Transaction

_log = structlog.get_logger(__name__)
HISTORY: Final = 2000
"""How many events a client may have missed at most, and the store keeps at least."""
LATE_S: Final = 10.0
"""For so long an event may be seen after one with a higher id: longer than any transaction takes."""
KEEP_ALIVE_S: Final = 15.0
_WAITING: Final = 1000
_LISTENERS: Final = 200
_AT_ONCE: Final = 5000
_SKEW_S: Final = 20.0
"""What the clocks of servers may differ."""


class EventLog:
    """Events of what no transaction changes: who joins and leaves. They are written together, a moment later.

    Belongs to one event loop. What cannot be written is dropped: a page that comes back reads the state itself.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[Event] = deque(maxlen=_WAITING)

    def note(self, event: Event) -> None:
        """Take an event, to be written by the next `flush`."""
        self._waiting.append(event)

    async def flush(self) -> None:
        """Write the events that wait. Called several times a second. Raises Unavailable."""
        if not self._waiting:
            return
        batch = [*self._waiting]
        self._waiting.clear()

        def work(tx: Transaction) -> None:
            for event in batch:
                tx.events.add(event)

        await self._store.write(work)


@dataclass(frozen=True, slots=True)
class FeedStart:
    """The beginning of a feed. `resumed`: it goes on where the client's last one broke off; nothing is missing."""

    last_id: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class FeedEnd:
    """The end of a feed, because the administrator's session has ended."""


FeedItem = FeedStart | StoredEvent | FeedEnd | None
"""What a feed yields; None when nothing has happened for a while."""


@dataclass(eq=False, slots=True)
class _Listener:
    session: SessionId
    position: int
    wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    has_session: bool = True


class EventFeed:
    """Hands the events of all servers to the clients of this one. Belongs to one event loop."""

    def __init__(self, *, store: Store, clock: Clock, now_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._now_s = now_s
        self._listeners: set[_Listener] = set()
        self._kept: deque[StoredEvent] = deque(maxlen=HISTORY)
        self._count = 0  # of the events that were ever kept: a listener's position survives that the oldest are dropped
        self._seen: deque[tuple[float, int]] = deque()
        self._settled_id = 0
        self._is_current = False
        self._is_closed = False
        self._polling = asyncio.Lock()

    def close(self) -> None:
        """End all feeds, and begin no other: the server stops."""
        self._is_closed = True
        self._wake()

    async def follow(self, session: SessionId, after: int | None) -> AsyncIterator[FeedItem]:
        """Yield what happens, from the event after `after` on if it is known; end with the session.

        Raises Unavailable when the server stops, has too many listeners, or cannot read the history.
        """
        if self._is_closed or len(self._listeners) >= _LISTENERS:
            raise Unavailable("too_many_listeners", "This server takes no further listener right now")
        listener = _Listener(session, self._count)
        self._listeners.add(listener)
        try:
            await self.poll()
            position = self._position_after(after)
            listener.position = self._count if position is None else position
            yield FeedStart(after if position is not None and after else self._last_id, position is not None)
            async for item in self._items(listener):
                yield item
        finally:
            self._listeners.discard(listener)

    async def _items(self, listener: _Listener) -> AsyncIterator[FeedItem]:
        while not self._is_closed:
            if not listener.has_session:
                yield FeedEnd()
                return
            oldest = self._count - len(self._kept)
            if listener.position < oldest:  # it reads too slowly
                listener.position = self._count
                yield FeedStart(self._last_id, resumed=False)
            elif listener.position < self._count:
                event = self._kept[listener.position - oldest]
                listener.position += 1
                yield event
            elif not await _woken(listener.wakeup):
                yield None

    @property
    def _last_id(self) -> int:
        return max((event.id for event in self._kept), default=0)

    def _position_after(self, event_id: int | None) -> int | None:
        oldest = self._count - len(self._kept)
        for index, event in enumerate(self._kept):
            if event.id == event_id:
                return oldest + index + 1
        return oldest if event_id == 0 and len(self._kept) < HISTORY else None

    async def poll(self) -> None:
        """Read what is new, for all who listen. Called several times a second. Raises Unavailable."""
        async with self._polling:
            if not self._listeners:
                self._is_current = False
                return
            sessions = {listener.session for listener in self._listeners}
            is_current, settled_id = self._is_current, self._settled_id

            def read(tx: Transaction) -> tuple[list[StoredEvent], set[SessionId]]:
                events = tx.events.after(settled_id, limit=_AT_ONCE) if is_current else tx.events.newest(limit=HISTORY)
                return events, {each for each in sessions if self._is_alive(tx, each)}

            found, alive = await self._store.read(read)
            self._take(found)
            for listener in self._listeners:
                if listener.session in sessions:
                    listener.has_session = listener.session in alive
            self._wake()

    def _is_alive(self, tx: Transaction, session_id: SessionId) -> bool:
        session = tx.accounts.session(session_id)
        return session is not None and session.expires_at_ms > self._clock.now_ms()

    def _take(self, found: list[StoredEvent]) -> None:
        """Keep the events that were not seen yet, in the order in which they are seen."""
        now_s = self._now_s()
        recent = {event.id for event in self._kept}
        if not self._is_current:
            if recent.isdisjoint(event.id for event in found):
                self._kept.clear()  # what is kept does not reach to what was found
            settled_ms = self._clock.now_ms() - (LATE_S + _SKEW_S) * 1000
            self._settled_id = max((event.id for event in found if event.at_ms < settled_ms), default=0)
        for event in found:
            if event.id not in recent:
                self._kept.append(event)
                self._count += 1
                self._seen.append((now_s, event.id))
        self._is_current = True
        while self._seen and self._seen[0][0] <= now_s - LATE_S:
            self._settled_id = max(self._settled_id, self._seen.popleft()[1])

    def _wake(self) -> None:
        for listener in self._listeners:
            if self._is_closed or not listener.has_session or listener.position < self._count:
                listener.wakeup.set()

    async def forget(self) -> None:
        """Delete events that no client can miss any more. Raises Unavailable."""
        await self._store.write(lambda tx: tx.events.forget_all_but(newest=HISTORY))


async def _woken(wakeup: asyncio.Event) -> bool:
    """Wait until something has happened; False when nothing has for a while."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            await wakeup.wait()
    except TimeoutError:
        return False
    wakeup.clear()
    return True
