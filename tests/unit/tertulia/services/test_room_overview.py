"""Rooms as an administrator sees them."""

from __future__ import annotations

import pytest

from support.services import Installation
from tertulia.errors import Unavailable
from tertulia.services.ports import RoomSearch
from tertulia.services.room_overview import RoomOverview


@pytest.fixture
def overview(inst: Installation) -> RoomOverview:
    return RoomOverview(store=inst.store, clock=inst.clock, media=inst.media)


async def test_who_is_in(inst: Installation, overview: RoomOverview):
    empty = await inst.create_room()
    inst.join(await inst.participants.token(inst.request()))
    counts = {each.room.name: each.participants for each in await overview.page(RoomSearch())}
    assert counts == {inst.room.name: 1, empty.name: 0}
    (live,) = await overview.page(RoomSearch(), only_live=True)
    assert (live.room.name, live.participants) == (inst.room.name, 1)


async def test_without_the_media_server(inst: Installation, overview: RoomOverview):
    inst.media.is_away = True
    assert [each.participants for each in await overview.page(RoomSearch())] == [None]
    with pytest.raises(Unavailable):
        await overview.page(RoomSearch(), only_live=True)
