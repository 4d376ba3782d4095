"""Chat messages of running meetings."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select

from tertulia.adapters.sql.tables import chat_messages
from tertulia.domain.chat import MAX_BYTES, MAX_MESSAGES, ChatMessage
from tertulia.domain.ids import Identity, MeetingId, Millis, RoomName
from tertulia.services.ports import ChatRepository

_columns = chat_messages.c
_IN_ROOM: Final = _columns.room == bindparam("room")
_OF_MEETING: Final = (
    select(chat_messages).where(_IN_ROOM, _columns.meeting == bindparam("meeting")).order_by(_columns.position)
)
_WITH_ID: Final = _OF_MEETING.where(
    _columns.identity == bindparam("identity"), _columns.message_id == bindparam("message_id")
)
_LAST: Final = (
    select(_columns.position, _columns.bytes_so_far).where(_IN_ROOM).order_by(_columns.position.desc()).limit(1)
)


class SqlChatRepository(ChatRepository):
    """Chat messages in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, message: ChatMessage) -> None:
        """Delete what is beyond the bounds without counting: each row says how much there was up to it."""
        row = {
            "room": message.room,
            "meeting": message.meeting,
            "identity": message.identity,
            "message_id": message.id,
        }
        if self._connection.execute(_WITH_ID, row).first() is not None:
            return
        last = self._connection.execute(_LAST, {"room": message.room}).first()
        text = json.dumps(message.text)
        position = 1 if last is None else last.position + 1
        total = len(text) if last is None else last.bytes_so_far + len(text)
        values = row | {"position": position, "text_json": text, "sent_at_ms": message.sent_at_ms}
        self._connection.execute(insert(chat_messages).values(values | {"bytes_so_far": total}))
        beyond = or_(_columns.position <= position - MAX_MESSAGES, _columns.bytes_so_far <= total - MAX_BYTES)
        self._connection.execute(delete(chat_messages).where(_columns.room == message.room, beyond))

    def of_meeting(self, room: RoomName, meeting: MeetingId) -> list[ChatMessage]:
        """Read them in the order of their positions."""
        rows = self._connection.execute(_OF_MEETING, {"room": room, "meeting": meeting})
        return [_message(row) for row in rows]

    def meetings(self) -> list[tuple[RoomName, MeetingId]]:
        """Look through all messages: they are bounded, and those of running meetings alone."""
        rows = self._connection.execute(select(_columns.room, _columns.meeting).distinct())
        return [(RoomName(row.room), MeetingId(row.meeting)) for row in rows]

    def delete(self, room: RoomName, meeting: MeetingId | None = None) -> None:
        statement = delete(chat_messages).where(_columns.room == room)
        if meeting is not None:
            statement = statement.where(_columns.meeting == meeting)
        self._connection.execute(statement)


def _message(row: Row[Any]) -> ChatMessage:
    return ChatMessage(
        room=RoomName(row.room),
        meeting=MeetingId(row.meeting),
        identity=Identity(row.identity),
        id=row.message_id,
        text=json.loads(row.text_json),
        sent_at_ms=Millis(row.sent_at_ms),
    )
