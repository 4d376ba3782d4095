"""The chat over the embedded media server, its preferences, and its bounds on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.chat import messages_and_history
from support.rest import RestServer, TestRoom
from support.services import Installation
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.chat import MAX_MESSAGES, ChatMessage
from tertulia.domain.ids import Identity, MeetingId, Millis, RoomName

MEETING = MeetingId("RM_1")


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    opened = open_store(url)
    await opened.open()
    yield opened
    await opened.close()


async def test_messages_and_history(server: RestServer, room: TestRoom):
    await messages_and_history(server, room, lambda _token: server)


def test_preferences_of_the_chat(server: RestServer, room: TestRoom):
    """Additions never change a documented answer: they are shown only where they are off."""
    path = f"/rooms/{room.name}"

    def put(**chat: object) -> dict[str, object]:
        answer = server.ask("PUT", path, {"chatPreferences": chat})
        assert answer.status_code == 200
        shown: dict[str, object] = server.ask("GET", path).json()["preferences"]["chatPreferences"]
        assert answer.json()["preferences"]["chatPreferences"] == shown
        return shown

    assert room.answer["preferences"]["chatPreferences"] == {"enabled": True}
    assert put(history=False) == {"enabled": True, "history": False}
    assert put(files=False) == {"enabled": True, "history": False, "files": False}
    assert put(enabled=False, history=True) == {"enabled": False, "files": False}
    assert put(enabled=True, files=True) == {"enabled": True}
    for wrong in ({"history": None}, {"files": "no"}, {"history": 1}):
        assert server.ask("PUT", path, {"chatPreferences": wrong}).status_code == 422
    made = server.create_room(preferences={"chatPreferences": {"history": False}})
    assert made.answer["preferences"]["chatPreferences"] == {"enabled": True, "history": False}


async def test_what_is_kept_is_bounded(store: SqlStore):
    """By count and by bytes, and it dies with its room."""
    room = (await Installation(store).create_room()).name

    def add(first: int, count: int, text: str):
        def work(tx: SqlTransaction) -> None:
            for number in range(first, first + count):
                tx.chat.add(message(room, str(number), text))

        return work

    await store.write(add(0, MAX_MESSAGES + 10, "x"))
    kept = await store.read(lambda tx: tx.chat.of_meeting(room, MEETING))
    assert [one.id for one in kept] == [str(number) for number in range(10, MAX_MESSAGES + 10)]
    await store.write(add(1000, 20, "x" * 99_998))
    kept = await store.read(lambda tx: tx.chat.of_meeting(room, MEETING))
    assert [one.id for one in kept] == [str(number) for number in range(1010, 1020)]
    hostile = "\0<b>\u202e😀"
    await store.write(lambda tx: tx.chat.add(message(room, "hostile", hostile)))
    assert (await store.read(lambda tx: tx.chat.of_meeting(room, MEETING)))[-1].text == hostile
    assert await store.read(lambda tx: tx.chat.of_meeting(room, MeetingId("RM_2"))) == []
    await store.write(lambda tx: tx.rooms.delete(room))
    assert await store.read(lambda tx: tx.chat.meetings()) == []


def message(room: RoomName, message_id: str, text: str) -> ChatMessage:
    return ChatMessage(room, MEETING, Identity("Ana"), message_id, text, Millis(1))
