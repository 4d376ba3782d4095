"""The lobby: who waits, who has gone, and what a decision is worth."""

from __future__ import annotations

import pytest

from support.services import ALICE, Installation
from tertulia.domain.ids import Identity
from tertulia.domain.lobby import MAX_WAITING, SEEN_WITHIN_MS, LobbyState
from tertulia.domain.rooms import PreferencesChange
from tertulia.errors import Conflict, Forbidden, NotFound, TooManyRequests
from tertulia.services.lobby import LobbyService


@pytest.fixture
async def lobby(inst: Installation) -> LobbyService:
    await inst.rooms.update(inst.room.name, PreferencesChange(lobby_enabled=True))
    return LobbyService(store=inst.store, clock=inst.clock, media=inst.media)


async def test_a_guest_who_stops_asking_has_gone(inst: Installation, lobby: LobbyService):
    guest = await lobby.enter(inst.room.name, ALICE)
    for _ in range(3):
        inst.clock.now += SEEN_WITHIN_MS - 1
        assert await lobby.state(inst.room.name, ALICE, guest.ticket) is LobbyState.WAITING
        assert [each.identity for each in await lobby.waiting(inst.room.name)] == [ALICE]
    inst.clock.now += SEEN_WITHIN_MS
    assert await lobby.waiting(inst.room.name) == []
    with pytest.raises(NotFound):
        await lobby.decide(inst.room.name, LobbyState.ADMITTED, ALICE)
    assert await lobby.state(inst.room.name, ALICE, guest.ticket) is LobbyState.WAITING, "a page that comes back"
    assert [each.identity for each in await lobby.waiting(inst.room.name)] == [ALICE]


async def test_the_lobby_is_bounded(inst: Installation, lobby: LobbyService):
    for number in range(MAX_WAITING):
        await lobby.enter(inst.room.name, Identity(f"guest {number}"))
    with pytest.raises(TooManyRequests):
        await lobby.enter(inst.room.name, ALICE)
    inst.clock.now += SEEN_WITHIN_MS
    await lobby.enter(inst.room.name, ALICE)


async def test_names_in_use(inst: Installation, lobby: LobbyService):
    await lobby.enter(inst.room.name, ALICE)
    with pytest.raises(Conflict):
        await lobby.enter(inst.room.name, ALICE)
    await inst.rooms.update(inst.room.name, PreferencesChange(lobby_enabled=False))
    inst.join(await inst.participants.token(inst.request()))
    with pytest.raises(Conflict):
        await lobby.enter(inst.room.name, ALICE)


async def test_a_decision_counts_until_the_guest_is_removed(inst: Installation, lobby: LobbyService):
    guest = await lobby.enter(inst.room.name, ALICE)
    await lobby.decide(inst.room.name, LobbyState.ADMITTED)
    request = inst.request(lobby_ticket=guest.ticket)
    inst.join(await inst.participants.token(request))
    await inst.participants.token(request)
    inst.clock.now += 1
    await inst.participants.disconnect(inst.room.name, ALICE)
    with pytest.raises(Forbidden, match="removed"):
        await inst.participants.token(request)
