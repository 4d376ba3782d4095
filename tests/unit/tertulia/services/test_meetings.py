"""Meetings: events of the media server, and the jobs that make up for lost ones."""

from __future__ import annotations

import pytest

from support.services import ALICE, Installation
from tertulia.domain.access import Role
from tertulia.domain.ids import Millis, SessionId
from tertulia.domain.participants import MEMBERSHIP_IDLE_MS
from tertulia.domain.rooms import PreferencesChange
from tertulia.errors import Unavailable
from tertulia.services.ports import IdempotencyKey, LoginSession


async def test_events(inst: Installation):
    token = await inst.participants.token_if_free(inst.request())
    joined = inst.join(token)
    await inst.meetings.participant_joined(inst.room.name, joined)
    assert inst.alice == joined
    inst.leave(joined)
    await inst.meetings.participant_left(inst.room.name, joined)
    await inst.participants.token_if_free(inst.request())


async def test_lost_events_are_made_up_for(inst: Installation):
    joined = inst.join(await inst.participants.token(inst.request()))
    inst.media.is_away = True
    await inst.rooms.update(inst.room.name, PreferencesChange(chat_enabled=False))
    assert inst.alice == joined
    inst.media.is_away = False
    await inst.meetings.reconcile()
    assert inst.alice is not None
    assert not inst.alice.grants.can_publish_data


async def test_the_meeting_of_an_expired_room_ends(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    inst.clock.now = inst.room.expires_at_ms - 1
    await inst.meetings.close_expired_rooms()
    assert inst.alice is not None
    inst.clock.now += 1
    inst.media.is_away = True
    with pytest.raises(Unavailable):
        await inst.meetings.close_expired_rooms()
    inst.media.is_away = False
    assert inst.alice is not None  # tried again later
    await inst.meetings.close_expired_rooms()
    assert inst.alice is None
    assert await inst.store.read(lambda tx: tx.rooms.find(inst.room.name)) is None


async def test_only_what_decides_nothing_is_deleted(inst: Installation):
    inst.join(await inst.participants.token(inst.request()))
    now = inst.clock.now
    session = LoginSession(SessionId("s"), "admin", "r", Millis(now + MEMBERSHIP_IDLE_MS + 1))
    key = IdempotencyKey("scope", "key", "fingerprint")

    def put(tx) -> None:
        tx.accounts.add_session(session)
        tx.idempotency.insert(key, "result", expires_at_ms=session.expires_at_ms)

    await inst.store.write(put)

    async def left() -> tuple[bool, bool, bool]:
        await inst.meetings.delete_expired_rows()
        membership, found, record = await inst.store.read(
            lambda tx: (
                tx.memberships.find(inst.room.name, ALICE),
                tx.accounts.session(session.id),
                tx.idempotency.find(key, now_ms=Millis(0)),
            )
        )
        return membership is not None, found is not None, record is not None

    assert await left() == (True, True, True)
    await inst.participants.disconnect(inst.room.name, ALICE)  # revokes for longer than any token lives
    inst.clock.now += MEMBERSHIP_IDLE_MS
    assert await left() == (True, True, True)
    inst.clock.now += 1000
    assert await left() == (False, False, False)
    inst.join(await inst.participants.token(inst.request()))
    await inst.participants.change_role(inst.room.name, ALICE, Role.VIEWER)  # kept for as long as the room is
    inst.clock.now += 2 * MEMBERSHIP_IDLE_MS
    assert await left() == (True, False, False)
