"""The chat: what is kept, for how long, and who may write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.services import ALICE, Installation
from tertulia.domain.access import Role, grants_for
from tertulia.domain.ids import Identity
from tertulia.domain.rooms import PreferencesChange
from tertulia.errors import Forbidden, NotFound, TooManyRequests
from tertulia.services.chat import CHAT_TOPIC, ChatService


@pytest.fixture
async def chat(inst: Installation) -> ChatService:
    """The chat of a meeting with Alice in it."""
    inst.join(await inst.participants.token(inst.request()))
    return ChatService(store=inst.store, clock=inst.clock, media=inst.media, participants=inst.participants)


async def texts(inst: Installation, chat: ChatService) -> list[str]:
    return [message.text for message in await chat.history(inst.room.name)]


def sent(inst: Installation) -> list[object]:
    return [message["text"] for _, topic, message, _ in inst.media.sent if topic == CHAT_TOPIC]


async def test_a_message_is_shown_to_all_and_kept_once(inst: Installation, chat: ChatService):
    for text in ("first", "first"):
        await chat.post(inst.room.name, ALICE, "1", text)
    await chat.post(inst.room.name, ALICE, "2", "second")
    assert await texts(inst, chat) == ["first", "second"]
    room, topic, message, to = inst.media.sent[0]
    assert (room, topic, to) == (inst.room.name, CHAT_TOPIC, ())
    assert message == {
        "messageId": "1", "participantName": "Alice", "text": "first", "sentAt": inst.clock.now_ms(),
    }  # fmt: skip


async def test_the_next_meeting_sees_nothing_of_the_last_one(inst: Installation, chat: ChatService):
    """Also when no event told of the end: a meeting is known by its id."""
    await chat.post(inst.room.name, ALICE, "1", "first")
    alice = inst.alice
    assert alice is not None
    await inst.media.end(inst.room.name)
    assert await texts(inst, chat) == []
    inst.put(alice)
    assert await texts(inst, chat) == []
    await chat.post(inst.room.name, ALICE, "1", "second")
    assert await texts(inst, chat) == ["second"]
    assert len(await inst.store.read(lambda tx: tx.chat.meetings())) == 2
    await inst.meetings.reconcile()
    ((room, meeting),) = await inst.store.read(lambda tx: tx.chat.meetings())
    assert await texts(inst, chat) == ["second"]
    await inst.meetings.chat_ended(room, meeting)
    assert await inst.store.read(lambda tx: tx.chat.meetings()) == []


async def test_nothing_is_kept_where_the_room_says_so(inst: Installation, chat: ChatService):
    await chat.post(inst.room.name, ALICE, "1", "first")
    await inst.rooms.update(inst.room.name, PreferencesChange(chat_history_enabled=False))
    assert await texts(inst, chat) == []
    await chat.post(inst.room.name, ALICE, "2", "second")
    assert (await texts(inst, chat), sent(inst)) == ([], ["first", "second"])
    await inst.rooms.update(inst.room.name, PreferencesChange(chat_history_enabled=True))
    assert await texts(inst, chat) == [], "what was said while nothing was kept"


async def test_who_may_not_write(inst: Installation, chat: ChatService):
    with pytest.raises(NotFound):
        await chat.post(inst.room.name, Identity("Nobody"), "1", "x")
    with pytest.raises(NotFound):
        await chat.history(inst.room.name, asked_by=Identity("Nobody"))
    alice = inst.alice
    assert alice is not None
    inst.put(replace(alice, grants=grants_for(Role.PUBLISHER, chat_enabled=False)))
    with pytest.raises(Forbidden):
        await chat.post(inst.room.name, ALICE, "1", "x")
    inst.put(alice)
    await inst.rooms.update(inst.room.name, PreferencesChange(chat_enabled=False))
    with pytest.raises(Forbidden, match="switched off"):
        await chat.post(inst.room.name, ALICE, "1", "x")
    with pytest.raises(Forbidden, match="switched off"):
        await chat.history(inst.room.name)
    assert sent(inst) == []


async def test_nobody_writes_faster_than_others_can_read(inst: Installation, chat: ChatService):
    for number in range(20):
        await chat.post(inst.room.name, ALICE, str(number), "x")
    with pytest.raises(TooManyRequests):
        await chat.post(inst.room.name, ALICE, "20", "x")
    inst.clock.now += 5_000
    await chat.post(inst.room.name, ALICE, "20", "x")
    assert len(await texts(inst, chat)) == 21
