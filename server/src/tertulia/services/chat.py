"""The chat of a meeting, as far as our server takes part in it (docs/decisions/0011).

Clients send one another their messages by LiveKit's text streams. What is posted here as well reaches every page even
where that fails, and is kept for those who come later.
"""

from __future__ import annotations

from typing import Final

from tertulia.domain.chat import ChatMessage
from tertulia.domain.ids import Identity, RoomName
from tertulia.domain.rooms import Room
from tertulia.errors import Forbidden, forbidden, participant_not_found
from tertulia.services.participants import ParticipantService
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction
from tertulia.services.rate_limits import RateLimit
from tertulia.services.rooms import find_room

CHAT_TOPIC: Final = "tertulia.chat"
_MESSAGES_AT_ONCE: Final = 20
_MESSAGES_WINDOW_MS: Final = 5_000


class ChatService:
    """Messages of running meetings."""

    def __init__(
        self, *, store: Store, clock: Clock, media: MediaServerClient, participants: ParticipantService
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._participants = participants
        self._messages = RateLimit(
            count=_MESSAGES_AT_ONCE, window_ms=_MESSAGES_WINDOW_MS, told="Too many messages: slow down"
        )

    async def post(self, room_name: str, identity: Identity, message_id: str, text: str) -> None:
        """Show a participant's message to all, and keep it if the room keeps messages. Repeated, it shows once.

        Raises Forbidden when the chat is off, or the participant may send no data.
        """
        now_ms = self._clock.now_ms()
        await self._store.read(lambda tx: _with_chat(tx, room_name, self._clock))
        participant = await self._participants.find(room_name, identity)
        if not participant.grants.can_publish_data:
            raise forbidden()
        key = f"{room_name}/{identity}"
        self._messages.check(key, now_ms=now_ms)
        self._messages.count(key, now_ms=now_ms)
        room = RoomName(room_name)
        meeting = (await self._media.meetings([room])).get(room)
        if meeting is None:
            raise participant_not_found(identity)
        message = ChatMessage(room, meeting, identity, message_id, text, now_ms)
        await self._store.write(lambda tx: self._keep(tx, message))
        await self._media.send(room, CHAT_TOPIC, shown(message))

    def _keep(self, tx: Transaction, message: ChatMessage) -> None:
        room = _with_chat(tx, message.room, self._clock, lock=True)
        if room.preferences.chat_history_enabled:
            tx.chat.add(message)

    async def history(self, room_name: str, *, asked_by: Identity | None = None) -> list[ChatMessage]:
        """List the messages of the running meeting that are kept, the oldest first.

        Raises NotFound when the participant who asks is not in the meeting, and Forbidden when the chat is off.
        """
        room = RoomName((await self._store.read(lambda tx: _with_chat(tx, room_name, self._clock))).name)
        if asked_by is not None:
            await self._participants.find(room_name, asked_by)
        meeting = (await self._media.meetings([room])).get(room)
        return [] if meeting is None else await self._store.read(lambda tx: tx.chat.of_meeting(room, meeting))


def shown(message: ChatMessage) -> dict[str, object]:
    """Show a message as the API and the pages know it."""
    return {
        "messageId": message.id,
        "participantName": message.identity,
        "text": message.text,
        "sentAt": message.sent_at_ms,
    }


def _with_chat(tx: Transaction, name: str, clock: Clock, *, lock: bool = False) -> Room:
    room = find_room(tx, name, clock.now_ms(), lock=lock)
    if not room.preferences.chat_enabled:
        raise Forbidden("chat_disabled", "The chat of this room is switched off", name="Room Error")
    return room
