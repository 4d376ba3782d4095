"""The operations as one table: both clients send these.

Generated from the public API's document by `python -m tools.clients`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tertulia_client.core import Operation
from tertulia_client.models import (
    ChatMessage,
    LobbyDecision,
    LobbyGuest,
    LobbyTicket,
    Participant,
    Recording,
    Room,
    Token,
)
from tertulia_client.values import many, nothing, one

CREATE_ROOM: Final[Operation[Room]] = Operation("POST", "/rooms", one(Room), is_keyed=True)
GET_ROOMS: Final[Operation[Sequence[Room]]] = Operation("GET", "/rooms", many(Room))
GET_ROOM: Final[Operation[Room]] = Operation("GET", "/rooms/{room_name}", one(Room))
UPDATE_ROOM: Final[Operation[Room]] = Operation("PUT", "/rooms/{room_name}", one(Room))
DELETE_ROOM: Final[Operation[None]] = Operation("DELETE", "/rooms/{room_name}", nothing)
ROTATE_ROOM_LINKS: Final[Operation[Room]] = Operation("POST", "/rooms/{room_name}/rotate-links", one(Room))
END_MEETING: Final[Operation[None]] = Operation("POST", "/rooms/{room_name}/end", nothing)
LOCK_ROOM: Final[Operation[None]] = Operation("PUT", "/rooms/{room_name}/lock", nothing)
UNLOCK_ROOM: Final[Operation[None]] = Operation("DELETE", "/rooms/{room_name}/lock", nothing)
GET_PARTICIPANTS: Final[Operation[Sequence[Participant]]] = Operation(
    "GET", "/rooms/{room_name}/participants", many(Participant)
)
CHANGE_PARTICIPANT_ROLE: Final[Operation[Participant]] = Operation(
    "PUT", "/rooms/{room_name}/participants/{participant_name}", one(Participant)
)
MUTE_PARTICIPANT: Final[Operation[None]] = Operation(
    "POST", "/rooms/{room_name}/participants/{participant_name}/mute", nothing
)
RAISE_HAND: Final[Operation[None]] = Operation(
    "PUT", "/rooms/{room_name}/participants/{participant_name}/hand", nothing
)
LOWER_HAND: Final[Operation[None]] = Operation(
    "DELETE", "/rooms/{room_name}/participants/{participant_name}/hand", nothing
)
LOWER_ALL_HANDS: Final[Operation[None]] = Operation("DELETE", "/rooms/{room_name}/hands", nothing)
REACT: Final[Operation[None]] = Operation(
    "POST", "/rooms/{room_name}/participants/{participant_name}/reactions", nothing
)
MUTE_ALL: Final[Operation[None]] = Operation("POST", "/rooms/{room_name}/mute-all", nothing)
STOP_CAMERA: Final[Operation[None]] = Operation(
    "POST", "/rooms/{room_name}/participants/{participant_name}/stop-camera", nothing
)
ASK_TO_UNMUTE: Final[Operation[None]] = Operation(
    "POST", "/rooms/{room_name}/participants/{participant_name}/ask-to-unmute", nothing
)
POST_MESSAGE: Final[Operation[None]] = Operation(
    "PUT", "/rooms/{room_name}/participants/{participant_name}/messages/{message_id}", nothing
)
GET_MESSAGES: Final[Operation[Sequence[ChatMessage]]] = Operation(
    "GET", "/rooms/{room_name}/messages", many(ChatMessage)
)
ENTER_LOBBY: Final[Operation[LobbyTicket]] = Operation("POST", "/rooms/{room_name}/lobby", one(LobbyTicket))
GET_LOBBY: Final[Operation[Sequence[LobbyGuest]]] = Operation("GET", "/rooms/{room_name}/lobby", many(LobbyGuest))
GET_LOBBY_STATE: Final[Operation[LobbyDecision]] = Operation(
    "POST", "/rooms/{room_name}/lobby/state", one(LobbyDecision)
)
ADMIT_GUEST: Final[Operation[None]] = Operation("PUT", "/rooms/{room_name}/lobby/{participant_name}", nothing)
REFUSE_GUEST: Final[Operation[None]] = Operation("DELETE", "/rooms/{room_name}/lobby/{participant_name}", nothing)
ADMIT_ALL_GUESTS: Final[Operation[None]] = Operation("POST", "/rooms/{room_name}/lobby/admit-all", nothing)
GENERATE_PARTICIPANT_TOKEN: Final[Operation[Token]] = Operation("POST", "/participants/token", one(Token))
DISCONNECT_PARTICIPANT: Final[Operation[None]] = Operation("DELETE", "/participants/{participant_name}", nothing)
CREATE_RECORDING: Final[Operation[Recording]] = Operation("POST", "/recordings", one(Recording), is_keyed=True)
GET_RECORDINGS: Final[Operation[Sequence[Recording]]] = Operation("GET", "/recordings", many(Recording))
DELETE_MULTIPLE_RECORDINGS: Final[Operation[None]] = Operation("DELETE", "/recordings", nothing)
STOP_RECORDING: Final[Operation[None]] = Operation("PUT", "/recordings/{recording_id}", nothing)
GET_RECORDING: Final[Operation[Recording]] = Operation("GET", "/recordings/{recording_id}", one(Recording))
DELETE_RECORDING: Final[Operation[None]] = Operation("DELETE", "/recordings/{recording_id}", nothing)
GET_RECORDING_STREAM: Final[Operation[None]] = Operation("GET", "/recordings/{recording_id}/stream", nothing)
