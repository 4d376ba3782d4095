"""The chat of a meeting: its messages, and how many of them are kept for those who come later."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tertulia.domain.ids import Identity, MeetingId, Millis, RoomName

TEXT_LENGTH: Final = 4_000
"""Characters of one message."""
MAX_MESSAGES: Final = 500
MAX_BYTES: Final = 1_000_000
"""What is kept of a room: the newest messages within both bounds."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message. Its author chooses the id, by which a repeated request is known."""

    room: RoomName
    meeting: MeetingId
    identity: Identity
    id: str
    text: str
    sent_at_ms: Millis


def could_be_message_id(text: str) -> bool:
    """Return whether a text can be the id of a message."""
    return _ID.match(text) is not None
