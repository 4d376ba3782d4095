"""Who has to go when there are too many connections."""

from __future__ import annotations

from structlog.testing import capture_logs

from tertulia.http.kit.connections import ConnectionLimits


class Open:
    """A connection."""

    def __init__(self) -> None:
        self.is_closed = False

    def make_room(self) -> None:
        self.is_closed = True


def admitted(limits: ConnectionLimits, *addresses: str) -> list[Open]:
    made = [Open() for _ in addresses]
    assert all(limits.admit(one, address) for one, address in zip(made, addresses, strict=True))
    return made


def test_oldest_that_waits_makes_room():
    limits = ConnectionLimits(total=3, for_address=None)
    served, oldest, newer = admitted(limits, "a", "b", "c")
    limits.is_served(served)
    admitted(limits, "d")
    assert [one.is_closed for one in (served, oldest, newer)] == [False, True, False]
    limits.waits(served)
    admitted(limits, "e")
    assert [one.is_closed for one in (served, newer)] == [False, True]


def test_address_is_limited_by_itself():
    limits = ConnectionLimits(total=100, for_address=2)
    other, first, second = admitted(limits, "b", "a", "a")
    admitted(limits, "a")
    assert [one.is_closed for one in (other, first, second)] == [False, True, False]


def test_nothing_is_closed_that_is_served():
    limits = ConnectionLimits(total=3, for_address=2)
    for one in admitted(limits, "a", "a"):
        limits.is_served(one)
    assert not limits.admit(Open(), "a")
    (other,) = admitted(limits, "b")
    limits.is_served(other)
    assert not limits.admit(Open(), "c")


def test_released_connections_do_not_count():
    limits = ConnectionLimits(total=2, for_address=1)
    for _ in range(5):
        for one in admitted(limits, "a", "b"):
            limits.is_served(one)
            limits.release(one)
            limits.release(one)
            limits.waits(one)
            limits.is_served(one)


def test_ipv6_counts_by_64():
    limits = ConnectionLimits(total=100, for_address=1)
    first, mapped = admitted(limits, "2001:db8::1", "::ffff:192.0.2.1")
    admitted(limits, "2001:db8:0:1::1", "::ffff:192.0.2.2", "fe80::1%eth0")
    assert not first.is_closed
    admitted(limits, "2001:db8::2", "192.0.2.1")
    assert first.is_closed
    assert mapped.is_closed


def test_dropped_are_logged_once_a_minute_and_address():
    limits = ConnectionLimits(total=1, for_address=1)
    with capture_logs() as logs:
        for address in ("a", "a", "b"):
            limits.log_dropped(address, "no request")
    assert [(line["address"], line["reason"]) for line in logs] == [("a", "no request"), ("b", "no request")]
