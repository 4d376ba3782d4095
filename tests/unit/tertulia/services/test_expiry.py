"""Rooms that expire: many at one instant, and those whose meetings cannot be ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from support.services import Installation, MediaServerInMemory
from tertulia.domain.access import Role, grants_for
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.errors import Unavailable
from tertulia.services.expiry import ExpiredRooms

MANY = 2000
ANA = LiveParticipant(
    identity=Identity("Ana"), name="Ana", joined_at_ms=Millis(0), role=Role.VIEWER,
    grants=grants_for(Role.VIEWER, chat_enabled=False), hidden=False, issued_at_ms=Millis(0),
)  # fmt: skip


@dataclass
class StuckMediaServer(MediaServerInMemory):
    """Meetings of rooms whose names begin with `stuck` cannot be ended; it counts how often that was tried."""

    hangs: bool = False
    tried: dict[RoomName, int] = field(default_factory=dict)

    async def end(self, room: RoomName) -> None:
        self.tried[room] = self.tried.get(room, 0) + 1
        if room.startswith("stuck"):
            if self.hangs:
                await asyncio.Event().wait()
            raise Unavailable("media_unavailable", "its node is gone")
        await super().end(room)


@dataclass
class Expiry:
    """The part under test, and its time, which passes when the test says so."""

    inst: Installation
    media: StuckMediaServer = field(default_factory=StuckMediaServer)
    now_s: float = 1000.0

    def __post_init__(self) -> None:
        self.rooms = ExpiredRooms(
            store=self.inst.store, clock=self.inst.clock, media=self.media, now_s=lambda: self.now_s
        )

    async def add(self, *names: str, is_running: bool = True) -> None:
        """Add rooms that have just expired."""
        now_ms = self.inst.clock.now_ms()
        rooms = [
            Room(RoomName(name), None, Millis(0), now_ms, None, RoomPreferences(), RoleSecrets("m", "p", "v"))
            for name in names
        ]
        await self.inst.store.write(lambda tx: [tx.rooms.insert(room) for room in rooms])
        if is_running:
            self.media.connected |= {room.name: {ANA.identity: ANA} for room in rooms}

    async def left(self) -> set[str]:
        now_ms = self.inst.clock.now_ms()
        return set(await self.inst.store.read(lambda tx: tx.rooms.expired(now_ms=now_ms, limit=10**6)))

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.inst.clock.now += round(seconds * 1000)


@pytest.fixture
def expiry(inst: Installation) -> Expiry:
    return Expiry(inst)


@pytest.mark.measures_time
async def test_many_at_one_instant(expiry: Expiry):
    """(issue 10) 2,000 rooms are closed within a second; each twentieth has a meeting."""
    await expiry.add(*(f"empty-{number}" for number in range(MANY - 100)), is_running=False)
    await expiry.add(*(f"running-{number}" for number in range(100)))
    began_at_s = time.perf_counter()
    await expiry.rooms.close_new()
    took_s = time.perf_counter() - began_at_s
    assert await expiry.left() == set()
    assert not any(expiry.media.connected.values())
    assert len(expiry.media.tried) == 100, "where there is no meeting, none has to be ended"
    assert took_s < 1


@pytest.mark.parametrize("hangs", [False, True])
async def test_stuck_rooms_leave_their_time_to_others(expiry: Expiry, hangs: bool):
    """(issue 10) The oldest 500 were asked for again and again, and what expired later had to wait."""
    expiry.media.hangs = hangs
    stuck = {f"stuck-{number}" for number in range(40 if hangs else 3000)}
    await expiry.add(*stuck)
    while set(expiry.media.tried) != stuck:
        expiry.pass_time(0.1)
        await expiry.rooms.close_new()
        await expiry.rooms.retry()
    expiry.media.tried.clear()
    expiry.inst.clock.now += 10
    await expiry.add("new")
    began_at_s = time.perf_counter()
    await expiry.rooms.close_new()
    assert time.perf_counter() - began_at_s < 1
    assert await expiry.left() == stuck
    assert expiry.media.tried == {"new": 1}


async def test_what_is_stuck_is_tried_again_ever_more_rarely(expiry: Expiry):
    await expiry.add("stuck-1", "other")
    await expiry.rooms.close_new()
    assert await expiry.left() == {"stuck-1"}
    for _ in range(600):
        expiry.pass_time(1)
        await expiry.rooms.close_new()
        await expiry.rooms.retry()
    assert 10 <= expiry.media.tried[RoomName("stuck-1")] <= 20
    expiry.media.connected.clear()  # its participants have left
    for _ in range(61):
        expiry.pass_time(1)
        await expiry.rooms.retry()
    assert await expiry.left() == set()


async def test_a_media_server_that_is_away(expiry: Expiry):
    """Nothing is blamed on single rooms then: all are closed as soon as it is back."""
    await expiry.add("one", "two")
    expiry.media.is_away = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            await expiry.rooms.close_new()
    expiry.media.is_away = False
    await expiry.rooms.close_new()
    assert await expiry.left() == set()
