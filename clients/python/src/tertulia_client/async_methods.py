"""The methods of the async client.

Generated from the public API's document by `python -m tools.clients`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

from tertulia_client.async_calls import AsyncCaller, AsyncDownloads
from tertulia_client.models import (
    ChatMessage,
    ChatPreferences,
    LobbyDecision,
    LobbyGuest,
    LobbyPreferences,
    LobbyTicket,
    MediaPreferences,
    Participant,
    Recording,
    RecordingPreferences,
    Role,
    Room,
    RoomPreferences,
    Token,
    VirtualBackgroundPreferences,
)
from tertulia_client.operations import (
    ADMIT_ALL_GUESTS,
    ADMIT_GUEST,
    ASK_TO_UNMUTE,
    CHANGE_PARTICIPANT_ROLE,
    CREATE_RECORDING,
    CREATE_ROOM,
    DELETE_MULTIPLE_RECORDINGS,
    DELETE_RECORDING,
    DELETE_ROOM,
    DISCONNECT_PARTICIPANT,
    END_MEETING,
    ENTER_LOBBY,
    GENERATE_PARTICIPANT_TOKEN,
    GET_LOBBY,
    GET_LOBBY_STATE,
    GET_MESSAGES,
    GET_PARTICIPANTS,
    GET_RECORDING,
    GET_RECORDINGS,
    GET_ROOM,
    GET_ROOMS,
    LOCK_ROOM,
    LOWER_ALL_HANDS,
    LOWER_HAND,
    MUTE_ALL,
    MUTE_PARTICIPANT,
    POST_MESSAGE,
    RAISE_HAND,
    REACT,
    REFUSE_GUEST,
    ROTATE_ROOM_LINKS,
    STOP_CAMERA,
    STOP_RECORDING,
    UNLOCK_ROOM,
    UPDATE_ROOM,
)


class AsyncRooms:
    """Rooms, and what concerns everyone in them."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self,
        expiration_date: int | datetime,
        *,
        room_name_prefix: str | None = None,
        max_participants: int | None = None,
        preferences: RoomPreferences | None = None,
        idempotency_key: str | None = None,
    ) -> Room:
        """Create a room."""
        return await self._caller.call(
            CREATE_ROOM,
            body={
                "expirationDate": expiration_date,
                "roomNamePrefix": room_name_prefix,
                "maxParticipants": max_participants,
                "preferences": preferences,
            },
            key=idempotency_key,
        )

    def list(self, *, page_size: int = 100) -> AsyncIterator[Room]:
        """List rooms that have not expired; asks for a page when it is needed."""
        return self._caller.pages(GET_ROOMS, page_size=page_size)

    async def get(self, room_name: str) -> Room:
        """Get a room."""
        return await self._caller.call(GET_ROOM, path={"room_name": room_name})

    async def update(
        self,
        room_name: str,
        *,
        chat_preferences: ChatPreferences | None = None,
        recording_preferences: RecordingPreferences | None = None,
        virtual_background_preferences: VirtualBackgroundPreferences | None = None,
        lobby_preferences: LobbyPreferences | None = None,
        media_preferences: MediaPreferences | None = None,
    ) -> Room:
        """Change what a room allows, also during a meeting."""
        return await self._caller.call(
            UPDATE_ROOM,
            path={"room_name": room_name},
            body={
                "chatPreferences": chat_preferences,
                "recordingPreferences": recording_preferences,
                "virtualBackgroundPreferences": virtual_background_preferences,
                "lobbyPreferences": lobby_preferences,
                "mediaPreferences": media_preferences,
            },
        )

    async def delete(self, room_name: str) -> None:
        """Delete a room and end its meeting."""
        return await self._caller.call(DELETE_ROOM, path={"room_name": room_name})

    async def rotate_links(self, room_name: str) -> Room:
        """Give a room new links; the old ones stop working."""
        return await self._caller.call(ROTATE_ROOM_LINKS, path={"room_name": room_name})

    async def end(self, room_name: str) -> None:
        """End the meeting, keep the room."""
        return await self._caller.call(END_MEETING, path={"room_name": room_name})

    async def lock(self, room_name: str) -> None:
        """Lock a room: only moderators, and participants who have been in it, get in."""
        return await self._caller.call(LOCK_ROOM, path={"room_name": room_name})

    async def unlock(self, room_name: str) -> None:
        """Open a locked room."""
        return await self._caller.call(UNLOCK_ROOM, path={"room_name": room_name})

    async def lower_all_hands(self, room_name: str) -> None:
        """Lower all hands."""
        return await self._caller.call(LOWER_ALL_HANDS, path={"room_name": room_name})

    async def mute_all(self, room_name: str) -> None:
        """Mute every microphone but the own; only their owners can unmute them."""
        return await self._caller.call(MUTE_ALL, path={"room_name": room_name})

    async def messages(self, room_name: str) -> Sequence[ChatMessage]:
        """List the newest messages of the running meeting, oldest first; none where the room keeps none."""
        return await self._caller.call(GET_MESSAGES, path={"room_name": room_name})


class AsyncParticipants:
    """Participants of running meetings, and their tokens."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, room_name: str) -> Sequence[Participant]:
        """List who is in a room."""
        return await self._caller.call(GET_PARTICIPANTS, path={"room_name": room_name})

    async def change_role(self, room_name: str, participant_name: str, role: Role) -> Participant:
        """Change a participant's role, at once and for when it comes back."""
        return await self._caller.call(
            CHANGE_PARTICIPANT_ROLE,
            path={"room_name": room_name, "participant_name": participant_name},
            body={"role": role},
        )

    async def mute(self, room_name: str, participant_name: str) -> None:
        """Mute a participant's microphone; only the participant can unmute it."""
        return await self._caller.call(
            MUTE_PARTICIPANT, path={"room_name": room_name, "participant_name": participant_name}
        )

    async def raise_hand(self, room_name: str, participant_name: str) -> None:
        """Raise a participant's hand, for all to see in its order."""
        return await self._caller.call(RAISE_HAND, path={"room_name": room_name, "participant_name": participant_name})

    async def lower_hand(self, room_name: str, participant_name: str) -> None:
        """Lower a participant's hand."""
        return await self._caller.call(LOWER_HAND, path={"room_name": room_name, "participant_name": participant_name})

    async def react(
        self, room_name: str, participant_name: str, reaction: Literal["👍", "👎", "👏", "❤️", "😂", "😮", "🎉"]
    ) -> None:
        """Show a participant's reaction to all."""
        return await self._caller.call(
            REACT, path={"room_name": room_name, "participant_name": participant_name}, body={"reaction": reaction}
        )

    async def stop_camera(self, room_name: str, participant_name: str) -> None:
        """Stop a participant's camera."""
        return await self._caller.call(STOP_CAMERA, path={"room_name": room_name, "participant_name": participant_name})

    async def ask_to_unmute(self, room_name: str, participant_name: str) -> None:
        """Ask a participant to unmute."""
        return await self._caller.call(
            ASK_TO_UNMUTE, path={"room_name": room_name, "participant_name": participant_name}
        )

    async def post_message(self, room_name: str, participant_name: str, message_id: str, text: str) -> None:
        """Show a participant's message to all; with an id that is new, so that one sent again shows once."""
        return await self._caller.call(
            POST_MESSAGE,
            path={"room_name": room_name, "participant_name": participant_name, "message_id": message_id},
            body={"text": text},
        )

    async def token(
        self, room_name: str, participant_name: str, secret: str, *, lobby_ticket: str | None = None
    ) -> Token:
        """Generate a token for a participant."""
        return await self._caller.call(
            GENERATE_PARTICIPANT_TOKEN,
            body={
                "roomName": room_name,
                "participantName": participant_name,
                "secret": secret,
                "lobbyTicket": lobby_ticket,
            },
        )

    async def disconnect(self, room_name: str, participant_name: str) -> None:
        """Disconnect a participant from a room."""
        return await self._caller.call(
            DISCONNECT_PARTICIPANT, path={"participant_name": participant_name}, query={"roomName": room_name}
        )


class AsyncLobby:
    """Guests who wait to be let in."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def enter(self, room_name: str, participant_name: str, secret: str) -> LobbyTicket:
        """Wait to be let in to a room with a lobby."""
        return await self._caller.call(
            ENTER_LOBBY, path={"room_name": room_name}, body={"participantName": participant_name, "secret": secret}
        )

    async def list(self, room_name: str) -> Sequence[LobbyGuest]:
        """List the guests who wait."""
        return await self._caller.call(GET_LOBBY, path={"room_name": room_name})

    async def state(self, room_name: str, participant_name: str, lobby_ticket: str) -> LobbyDecision:
        """Ask what was decided; a guest who stops asking has gone."""
        return await self._caller.call(
            GET_LOBBY_STATE,
            path={"room_name": room_name},
            body={"participantName": participant_name, "lobbyTicket": lobby_ticket},
        )

    async def admit(self, room_name: str, participant_name: str) -> None:
        """Let a guest in."""
        return await self._caller.call(ADMIT_GUEST, path={"room_name": room_name, "participant_name": participant_name})

    async def refuse(self, room_name: str, participant_name: str) -> None:
        """Refuse a guest."""
        return await self._caller.call(
            REFUSE_GUEST, path={"room_name": room_name, "participant_name": participant_name}
        )

    async def admit_all(self, room_name: str) -> None:
        """Let everyone in who waits."""
        return await self._caller.call(ADMIT_ALL_GUESTS, path={"room_name": room_name})


class AsyncRecordings(AsyncDownloads):
    """Recordings."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def start(
        self,
        room_name: str,
        *,
        preset: Literal["720p30", "1080p30", "audio"] | None = None,
        idempotency_key: str | None = None,
    ) -> Recording:
        """Record a room; answers when the first media is written."""
        return await self._caller.call(
            CREATE_RECORDING, body={"roomName": room_name, "preset": preset}, key=idempotency_key
        )

    def list(self, *, page_size: int = 100) -> AsyncIterator[Recording]:
        """List recordings; asks for a page when it is needed."""
        return self._caller.pages(GET_RECORDINGS, page_size=page_size)

    async def delete_many(self, recording_ids: Sequence[str]) -> None:
        """Delete several recordings, all or none."""
        return await self._caller.call(DELETE_MULTIPLE_RECORDINGS, body={"recordingIds": recording_ids})

    async def stop(self, recording_id: str) -> None:
        """Stop a recording."""
        return await self._caller.call(STOP_RECORDING, path={"recording_id": recording_id})

    async def get(self, recording_id: str) -> Recording:
        """Get a recording."""
        return await self._caller.call(GET_RECORDING, path={"recording_id": recording_id})

    async def delete(self, recording_id: str) -> None:
        """Delete a recording and its file."""
        return await self._caller.call(DELETE_RECORDING, path={"recording_id": recording_id})
