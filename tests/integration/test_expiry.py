"""Rooms that expire at one instant, on a real server with both databases."""

from __future__ import annotations

import asyncio

import pytest
from livekit.protocol.models import DisconnectReason

from support.rest import RestServer, now_ms
from support.signal_connection import raw_connection, receive
from tertulia.adapters.sql.store import open_store
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences

MANY = 2000


@pytest.mark.measures_time
async def test_two_thousand_at_one_instant(server: RestServer):
    """(issue 10) All are closed within a second: who is in one is told, and no row is left."""
    expires_at_ms = Millis(now_ms() + 4000)
    occupied = await asyncio.to_thread(server.create_room, expirationDate=expires_at_ms)
    token = await asyncio.to_thread(server.token, occupied, "Ana", "viewer")
    rooms = [
        Room(RoomName(f"many-{n}"), None, Millis(0), expires_at_ms, None, RoomPreferences(), RoleSecrets("m", "p", "v"))
        for n in range(MANY)
    ]

    def left(tx: SqlTransaction) -> int:
        return len(tx.rooms.expired(now_ms=Millis(now_ms()), limit=2 * MANY))

    store = open_store(server.database_url)
    await store.open()
    try:
        async with raw_connection(server, token) as connection:  # type: ignore[arg-type]
            await receive(connection, "join")
            await store.write(lambda tx: [tx.rooms.insert(room) for room in rooms])
            assert now_ms() < expires_at_ms, "this machine is too slow for this test"
            leave = (await receive(connection, "leave")).leave
            told_after_ms = now_ms() - expires_at_ms
        while await store.read(left):
            assert now_ms() - expires_at_ms < 20_000
            await asyncio.sleep(0.02)
        closed_after_ms = now_ms() - expires_at_ms
    finally:
        await store.close()
    assert leave.reason == DisconnectReason.ROOM_DELETED
    assert 0 <= told_after_ms < 1000
    assert closed_after_ms < 1000
