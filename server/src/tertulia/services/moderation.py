"""What participants show one another in a meeting besides media, and what moderators ask of them.

Clients never trust one another: each of these goes through us, who checked the permission, and reaches the meeting by
the media server's server API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from tertulia.domain.ids import Identity, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.services.participants import ParticipantService
from tertulia.services.ports import Clock, MediaServerClient
from tertulia.services.rate_limits import RateLimit

Reaction = Literal["👍", "👎", "👏", "❤️", "😂", "😮", "🎉"]
REACTION_TOPIC: Final = "tertulia.reaction"
ASK_TO_UNMUTE_TOPIC: Final = "tertulia.ask-to-unmute"
_REACTIONS_AT_ONCE: Final = 10
_REACTIONS_WINDOW_MS: Final = 5_000


class ModerationService:
    """Hands, reactions, and the microphones and cameras of others."""

    def __init__(self, *, participants: ParticipantService, clock: Clock, media: MediaServerClient) -> None:
        self._participants = participants
        self._clock = clock
        self._media = media
        self._reactions = RateLimit(
            count=_REACTIONS_AT_ONCE, window_ms=_REACTIONS_WINDOW_MS, told="Too many reactions: slow down"
        )

    async def raise_hand(self, room: str, identity: Identity) -> None:
        """Raise a participant's hand; one that is up stays where it is in the order."""
        participant = await self._participants.find(room, identity)
        if participant.hand_raised_at_ms is None:
            await self._media.set_hand(RoomName(room), participant, self._clock.now_ms())
            self._participants.note_change(RoomName(room), identity)

    async def lower_hand(self, room: str, identity: Identity) -> None:
        """Lower a participant's hand."""
        await self._lower([await self._participants.find(room, identity)], room)

    async def lower_all_hands(self, room: str) -> None:
        """Lower the hands of all participants."""
        await self._lower(await self._participants.in_room(room), room)

    async def _lower(self, participants: Sequence[LiveParticipant], room: str) -> None:
        raised = [each for each in participants if each.hand_raised_at_ms is not None]
        await asyncio.gather(*(self._media.set_hand(RoomName(room), each, None) for each in raised))
        for each in raised:
            self._participants.note_change(RoomName(room), each.identity)

    async def react(self, room: str, identity: Identity, reaction: Reaction) -> None:
        """Show a participant's reaction to all. Raises TooManyRequests when it reacts faster than anyone could see."""
        await self._participants.find(room, identity)
        key, now_ms = f"{room}/{identity}", self._clock.now_ms()
        self._reactions.check(key, now_ms=now_ms)
        self._reactions.count(key, now_ms=now_ms)
        await self._media.send(RoomName(room), REACTION_TOPIC, {"participantName": identity, "reaction": reaction})

    async def mute_all(self, room: str, *, besides: Identity | None) -> None:
        """Mute every microphone, besides that of the moderator who asks; only the participants can unmute them."""
        others = [each for each in await self._participants.in_room(room) if each.identity != besides]
        await asyncio.gather(*(self._media.mute(RoomName(room), each) for each in others))
        for each in others:
            self._participants.note_change(RoomName(room), each.identity)

    async def stop_camera(self, room: str, identity: Identity) -> None:
        """Stop a participant's camera; only the participant can start it again."""
        participant = await self._participants.find(room, identity)
        await self._media.mute(RoomName(room), participant, source="camera")
        self._participants.note_change(RoomName(room), identity)

    async def ask_to_unmute(self, room: str, identity: Identity) -> None:
        """Ask a participant to unmute; nobody's microphone is ever opened by another."""
        await self._participants.find(room, identity)
        await self._media.send(RoomName(room), ASK_TO_UNMUTE_TOPIC, {}, to=[identity])
