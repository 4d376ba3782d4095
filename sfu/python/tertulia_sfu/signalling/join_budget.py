"""How often clients may join: each participant, each address, and each room. Resumes are charged to their session.

A join repeats a participant's state to everyone in the room, and so does the leave after it. Joins above the rate wait;
those that would wait too long are refused, and who goes on above the rate is refused for a while. The figures:

- a participant joins once. A client with a bad connection that connects again comes back every few seconds, a reloaded
  page every second.
- an address may be an office, or a proxy that hides everyone behind it: the whole of a large meeting comes at once.
- a room's joins are charged by what they cost of the event loop: 1 ms in a small room, some ms in one of 1,000. A room
  is never refused as such: most of those who join it are innocent.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import structlog

from tertulia_sfu.errors import ServiceUnavailable
from tertulia_sfu.rooms.budget import SHORTEST_WAIT_S, Bucket

_log = structlog.get_logger(__name__)

PARTICIPANT_PER_S: Final = 1.0
PARTICIPANT_BURST: Final = 20.0
ADDRESS_PER_S: Final = 50.0
ADDRESS_BURST: Final = 600.0
ROOM_CPU_PER_S: Final = 0.4
ROOM_CPU_BURST_S: Final = 3.0
# state that is repeated to everyone: with 512 KiB of metadata a join counts like nine
REPEATED_BYTES_PER_JOIN: Final = 64 * 1024

LONGEST_WAIT_S: Final = 2.0
LONGEST_ROOM_WAIT_S: Final = 10.0
SLOWED_AT_MOST_S: Final = 3.0
REFUSED_FOR_S: Final = 10.0
MAX_KEYS: Final = 50_000
UNKNOWN_ADDRESS: Final = "unknown"  # behind a socket file: not one client, all

_IPV6_PREFIX: Final = 64

_Key = tuple[str, ...]


@dataclass(slots=True)
class _Account:
    """What is left of one budget; `refused_until`: no join is admitted before."""

    bucket: Bucket
    slowed_s: float = 0.0
    slowed_until: float = 0.0
    refused_until: float = 0.0


class JoinBudget:
    """The budgets of all who join. Bounded in memory: the account that was used least recently is forgotten."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[_Key, _Account] = OrderedDict()

    def check(self, address: str, now: float) -> None:
        """Raise ServiceUnavailable if an address is refused at the moment: before its token costs anything."""
        self._check(("address", address_key(address)), now)

    def admit(self, *, address: str, room: str, identity: str, now: float) -> float:
        """Charge a join. Return how long (s) it has to wait. Raise ServiceUnavailable if it is refused."""
        keys: list[_Key] = [("room", room), ("participant", room, identity)]
        if address != UNKNOWN_ADDRESS:
            keys.append(("address", address_key(address)))
        for key in keys:
            self._check(key, now)
        wait_s = 0.0
        for key in keys:
            waits_s = self._account(key).bucket.take(0.0 if key[0] == "room" else 1.0, now)
            if key[0] == "room":
                if waits_s > LONGEST_ROOM_WAIT_S:
                    raise _refusal(waits_s)
            elif self._is_too_much(self._account(key), waits_s, now):
                _log.warning(
                    "joins refused for a while", too_many_of=key[0], room=room, identity=identity, address=address
                )
                raise _refusal(REFUSED_FOR_S)
            wait_s = max(wait_s, waits_s)
        return wait_s if wait_s >= SHORTEST_WAIT_S else 0.0

    def charge(self, *, room: str, identity: str, cpu_s: float, repeated_bytes: int, now: float) -> None:
        """Charge what a join did cost of the event loop, and its leave with it."""
        self._account(("room", room)).bucket.take(2 * cpu_s, now)
        self._account(("participant", room, identity)).bucket.take(repeated_bytes / REPEATED_BYTES_PER_JOIN, now)

    def _check(self, key: _Key, now: float) -> None:
        account = self._accounts.get(key)
        if account is not None and now < account.refused_until:
            raise _refusal(account.refused_until - now)

    def _is_too_much(self, account: _Account, wait_s: float, now: float) -> bool:
        """Count the time that is waited, and begin to refuse when it is too long."""
        if wait_s >= SHORTEST_WAIT_S:
            account.slowed_s += max(0.0, now + wait_s - max(now, account.slowed_until))
            account.slowed_until = max(account.slowed_until, now + wait_s)
        elif account.bucket.level >= account.bucket.burst / 2:
            account.slowed_s = 0.0
        if wait_s <= LONGEST_WAIT_S and account.slowed_s <= SLOWED_AT_MOST_S:
            return False
        account.slowed_s = 0.0
        account.refused_until = now + REFUSED_FOR_S
        return True

    def _account(self, key: _Key) -> _Account:
        account = self._accounts.get(key)
        if account is None:
            per_s, burst = _LIMITS[key[0]]
            account = self._accounts[key] = _Account(Bucket(per_s, burst))
            if len(self._accounts) > MAX_KEYS:
                self._accounts.popitem(last=False)
        self._accounts.move_to_end(key)
        return account


_LIMITS: Final[dict[str, tuple[float, float]]] = {
    "participant": (PARTICIPANT_PER_S, PARTICIPANT_BURST),
    "address": (ADDRESS_PER_S, ADDRESS_BURST),
    "room": (ROOM_CPU_PER_S, ROOM_CPU_BURST_S),
}


def address_key(address: str) -> str:
    """Return what joins of an address are counted by: in IPv6 its /64, which is what one subscriber gets."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))


def _refusal(wait_s: float) -> ServiceUnavailable:
    return ServiceUnavailable(f"Too many joins: try again in {max(1, round(wait_s))} s.")
