"""The budget for joins: meetings begin at once, and clients that come and go all the time wait, then are refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import structlog

from tertulia_sfu.errors import ServiceUnavailable
from tertulia_sfu.signalling.join_budget import (
    LONGEST_WAIT_S,
    MAX_KEYS,
    PARTICIPANT_BURST,
    REFUSED_FOR_S,
    JoinBudget,
    address_key,
)

OFFICE = "192.0.2.7"


@dataclass
class Joins:
    """Clients that join, and a clock that waiting moves where they come one after the other."""

    budget: JoinBudget = field(default_factory=JoinBudget)
    now: float = 1_000.0

    def join(self, identity: str, *, address: str = OFFICE, room: str = "room", cpu_s: float = 0.001) -> float:
        self.budget.check(address, self.now)
        wait_s = self.budget.admit(address=address, room=room, identity=identity, now=self.now)
        self.budget.charge(room=room, identity=identity, cpu_s=cpu_s, repeated_bytes=200, now=self.now)
        return wait_s


def test_an_office_joins_at_once() -> None:
    joins = Joins()
    assert not any(joins.join(f"guest-{number}") for number in range(60))


def test_a_meeting_of_1000_behind_one_proxy_joins_within_a_minute() -> None:
    joins = Joins()
    for number in range(1_000):
        joins.now += 0.03
        assert joins.join(f"guest-{number}", cpu_s=0.0005 + number * 0.000003) <= LONGEST_WAIT_S


def test_a_client_that_comes_and_goes_waits_then_is_refused_and_its_office_is_not() -> None:
    joins, waited_s, began = Joins(), 0.0, 1_000.0

    def come_and_go() -> None:
        nonlocal waited_s
        for _ in range(1_000):
            wait_s = joins.join("flapping")
            waited_s += wait_s
            joins.now += 0.005 + wait_s

    with structlog.testing.capture_logs() as log, pytest.raises(ServiceUnavailable, match="try again in 10 s"):
        come_and_go()
    assert waited_s > 1
    assert joins.now - began < 5
    (line,) = log
    assert (line["identity"], line["address"], line["too_many_of"]) == ("flapping", OFFICE, "participant")
    with structlog.testing.capture_logs() as log:
        for number in range(500):
            joins.now += 0.005
            with pytest.raises(ServiceUnavailable):
                joins.join("flapping")
            assert joins.join(f"colleague-{number % 100}") == 0
    assert log == [], "said once"
    joins.now += REFUSED_FOR_S
    assert joins.join("flapping") <= LONGEST_WAIT_S


def test_many_at_once_are_refused_beyond_the_longest_wait() -> None:
    joins, refused = Joins(), 0
    for _ in range(100):
        try:
            assert joins.join("flapping") <= LONGEST_WAIT_S
        except ServiceUnavailable:
            refused += 1
    assert refused >= 100 - PARTICIPANT_BURST - LONGEST_WAIT_S - 1


def test_an_address_with_many_tokens_is_refused_within_seconds_and_others_are_not() -> None:
    joins, began = Joins(), 1_000.0

    def join_200_times_a_second() -> None:
        for number in range(100_000):
            joins.join(f"guest-{number}", room=f"room-{number % 50}", cpu_s=0.0)
            joins.now += 1 / 200

    with pytest.raises(ServiceUnavailable):
        join_200_times_a_second()
    assert joins.now - began < 8
    with pytest.raises(ServiceUnavailable):
        joins.budget.check(OFFICE, joins.now)
    assert joins.join("elsewhere", address="198.51.100.1") == 0


def test_a_room_slows_its_joins_by_what_they_cost() -> None:
    joins = Joins()
    waits = [joins.join(f"guest-{number}", cpu_s=0.02) for number in range(150)]
    assert not any(waits[:70])
    assert waits[-1] > 1
    assert joins.join("elsewhere", room="other") == 0


def test_large_state_counts_as_several_joins() -> None:
    joins = Joins()
    for _ in range(2):
        assert joins.join("ann") == 0
        joins.budget.charge(room="room", identity="ann", cpu_s=0.0, repeated_bytes=600_000, now=joins.now)
    assert joins.join("ann") > 0


def test_the_memory_is_bounded() -> None:
    budget = JoinBudget()
    for number in range(MAX_KEYS):
        budget.admit(address=f"198.51.{number % 200}.{number // 200 % 250}", room="room", identity=str(number), now=1.0)
    assert len(budget._accounts) == MAX_KEYS


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_what_an_address_is_counted_by(address: str, key: str) -> None:
    assert address_key(address) == key
