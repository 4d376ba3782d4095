"""What participants show one another in a meeting besides media, and what moderators ask of them.

Clients never trust one another: each of these goes through us, who checked the permission, and reaches the meeting by
the media server's server API.
"""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from tertulia.domain.ids import Identity, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.domain.rooms import Room
from tertulia.errors import participant_not_found
from tertulia.services.ports import Clock, MediaServerClient, Store
from tertulia.services.rate_limits import RateLimit
from tertulia.services.rooms import find_room

Reaction = Literal["👍", "👎", "👏", "❤️", "😂", "😮", "🎉"]
REACTION_TOPIC: Final = "tertulia.reaction"
ASK_TO_UNMUTE_TOPIC: Final = "tertulia.ask-to-unmute"
_REACTIONS_AT_ONCE: Final = 10
_REACTIONS_WINDOW_MS: Final = 5_000


class ModerationService:
    """Hands, reactions, and the microphones and cameras of others."""

    def __init__(self, *, store: Store, clock: Clock, media: MediaServerClient) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._reactions = RateLimit(requests=_REACTIONS_AT_ONCE, window_ms=_REACTIONS_WINDOW_MS)

    async def raise_hand(self, room_name: str, identity: Identity) -> None:
        """Raise a participant's hand; one that is up stays where it is in the order."""
        room, participant = await self._connected(room_name, identity)
        if participant.hand_raised_at_ms is None:
            await self._media.set_hand(room.name, participant, self._clock.now_ms())

    async def lower_hand(self, room_name: str, identity: Identity) -> None:
        """Lower a participant's hand."""
        room, participant = await self._connected(room_name, identity)
        if participant.hand_raised_at_ms is not None:
            await self._media.set_hand(room.name, participant, None)

    async def lower_all_hands(self, room_name: str) -> None:
        """Lower the hands of all participants."""
        room = await self._room(room_name)
        raised = [each for each in await self._visible(room.name) if each.hand_raised_at_ms is not None]
        await asyncio.gather(*(self._media.set_hand(room.name, each, None) for each in raised))

    async def react(self, room_name: str, identity: Identity, reaction: Reaction) -> None:
        """Show a participant's reaction to all. Raises TooManyRequests when it reacts faster than anyone could see."""
        room, participant = await self._connected(room_name, identity)
        self._reactions.count(f"{room.name}/{identity}", now_ms=self._clock.now_ms())
        message = {"participantName": participant.identity, "reaction": reaction}
        await self._media.send(room.name, REACTION_TOPIC, message)

    async def mute_all(self, room_name: str, *, besides: Identity | None) -> None:
        """Mute every microphone, besides that of the moderator who asks; only the participants can unmute them."""
        room = await self._room(room_name)
        others = [each for each in await self._visible(room.name) if each.identity != besides]
        await asyncio.gather(*(self._media.mute(room.name, each) for each in others))

    async def stop_camera(self, room_name: str, identity: Identity) -> None:
        """Stop a participant's camera; only the participant can start it again."""
        room, participant = await self._connected(room_name, identity)
        await self._media.mute(room.name, participant, source="camera")

    async def ask_to_unmute(self, room_name: str, identity: Identity) -> None:
        """Ask a participant to unmute; nobody's microphone is ever opened by another."""
        room, participant = await self._connected(room_name, identity)
        await self._media.send(room.name, ASK_TO_UNMUTE_TOPIC, {}, to=[participant.identity])

    async def _room(self, name: str) -> Room:
        now_ms = self._clock.now_ms()
        return await self._store.read(lambda tx: find_room(tx, name, now_ms))

    async def _visible(self, room: RoomName) -> list[LiveParticipant]:
        return [each for each in await self._media.participants(room) if not each.hidden]

    async def _connected(self, room_name: str, identity: Identity) -> tuple[Room, LiveParticipant]:
        room = await self._room(room_name)
        participant = await self._media.participant(room.name, identity)
        if participant is None or participant.hidden:
            raise participant_not_found(identity)
        return room, participant
