"""How many connections may be open and how long each may take, and what is logged of those that are dropped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from tertulia.domain.addresses import address_key

_log = structlog.get_logger(__name__)
_LOG_AGAIN_AFTER_S: Final = 60.0
_LOGGED_AT_MOST: Final = 1000
_RATES_AT_MOST: Final = 10_000
_REPLACED_EACH_SECOND: Final = 200.0


@dataclass(frozen=True, slots=True)
class ConnectionTimes:
    """How long a connection may take.

    `head_s`: from the first byte of a request (of the first one: from the connection) to the end of its headers.
    `keep_alive_s`: without a request after one. A body arrives with `body_rate` bytes a second at least, over
    `body_check_s`. After a response that did not need the body, the rest of it is read for `head_s`. A client that
    reads nothing of its response for `stall_s` makes room for others that come, and after `unread_s` it is dropped:
    players that are paused do so, and come back with a range. `handshake_s`: for TLS, before the first request.
    """

    head_s: float = 10.0
    keep_alive_s: int = 75
    body_check_s: float = 5.0
    body_rate: float = 512.0
    handshake_s: float = 10.0
    stall_s: float = 10.0
    unread_s: float = 900.0


class Connection(Protocol):
    """An open connection, as its limits see it."""

    def make_room(self) -> None:
        """Close, because another one needs the place."""
        ...


class ArrivalRate:
    """How often each address may do something: `each_s` times a second, of which `burst` may come at once."""

    def __init__(self, each_s: float, *, burst: float) -> None:
        self._interval_s = 1 / each_s
        self._ahead_s = burst / each_s
        self._due_s: dict[str, float] = {}

    def take(self, place: str) -> bool:
        """Count one more; False when it is one too many."""
        now_s = time.monotonic()
        due_s = max(now_s, self._due_s.get(place, 0.0)) + self._interval_s
        if due_s - now_s > self._ahead_s:
            return False
        if len(self._due_s) >= _RATES_AT_MOST:
            self._due_s = {other: due for other, due in self._due_s.items() if due > now_s}
            if len(self._due_s) >= _RATES_AT_MOST:
                self._due_s.clear()
        self._due_s[place] = due_s
        return True


class ConnectionLimits:
    """The connections of one server: at most `total`, and `for_address` from one address (None: any number).

    IPv6 counts by /64. When it is full, the connection that has waited longest without a whole request is closed for
    the new one: who is served, or asks at once, does not suffer from those who only hold connections. Only so many are
    replaced in a second, since that costs more than to refuse one. `arrivals`: how often an address may connect.
    """

    def __init__(self, *, total: int, for_address: int | None, arrivals: ArrivalRate | None = None) -> None:
        self._total = total
        self._arrivals = arrivals
        self._replacements = ArrivalRate(_REPLACED_EACH_SECOND, burst=_REPLACED_EACH_SECOND)
        self._for_address = for_address
        self._place_of: dict[Connection, str] = {}
        self._count: dict[str, int] = {}
        self._waiting: dict[Connection, None] = {}
        self._waiting_at: dict[str, dict[Connection, None]] = {}
        self._logged: dict[tuple[str, str], float] = {}

    def has_room(self, address: str) -> bool:
        """Return whether a connection that is made now would be admitted, before anything is made for it."""
        place = address_key(address)
        if self._arrivals is not None and not self._arrivals.take(place):
            return False
        if self._for_address is not None and self._count.get(place, 0) >= self._for_address:
            return place in self._waiting_at and self._replacements.take(place)
        return len(self._place_of) < self._total or bool(self._waiting)

    def admit(self, connection: Connection, address: str) -> bool:
        """Count a new connection, which waits; False when it is one too many and there is none to close for it."""
        if connection in self._place_of:
            return True
        place = address_key(address)
        if self._for_address is not None and self._count.get(place, 0) >= self._for_address:
            if not self._make_room(self._waiting_at.get(place)):
                return False
        elif len(self._place_of) >= self._total and not self._make_room(self._waiting):
            return False
        self._place_of[connection] = place
        self._count[place] = self._count.get(place, 0) + 1
        self.waits(connection)
        return True

    def waits(self, connection: Connection) -> None:
        """Note that a connection has no whole request."""
        place = self._place_of.get(connection)
        if place is not None:
            self._waiting[connection] = None
            self._waiting_at.setdefault(place, {})[connection] = None

    def is_served(self, connection: Connection) -> None:
        """Note that a connection has a whole request, which is being answered."""
        place = self._place_of.get(connection)
        if place is not None and self._waiting.pop(connection, connection) is None:
            del self._waiting_at[place][connection]
            if not self._waiting_at[place]:
                del self._waiting_at[place]

    def release(self, connection: Connection) -> None:
        """Forget a connection that is closed, or is a WebSocket now: those have limits of their own."""
        self.is_served(connection)
        place = self._place_of.pop(connection, None)
        if place is not None:
            self._count[place] -= 1
            if not self._count[place]:
                del self._count[place]

    def log_dropped(self, address: str, reason: str) -> None:
        """Log that a connection was dropped; of one address and reason once a minute."""
        now = time.monotonic()
        if now - self._logged.get((address, reason), -_LOG_AGAIN_AFTER_S) < _LOG_AGAIN_AFTER_S:
            return
        if len(self._logged) >= _LOGGED_AT_MOST:
            self._logged.clear()
        self._logged[address, reason] = now
        _log.warning(
            "connection dropped", address=address, reason=reason, open=self._count.get(address_key(address), 0)
        )

    def _make_room(self, waiting: dict[Connection, None] | None) -> bool:
        oldest = next(iter(waiting or ()), None)
        if oldest is None:
            return False
        self.release(oldest)
        oldest.make_room()
        return True
