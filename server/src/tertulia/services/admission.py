"""Admission: who may be in a room and with which role, at a join and while a meeting runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from tertulia.domain.access import Grants, Role, grants_for
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import LiveParticipant, Membership
from tertulia.domain.rooms import Room
from tertulia.errors import Forbidden, NotFound
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction
from tertulia.services.rooms import find_room

_log = structlog.get_logger(__name__)
_MAX_PASSES: Final = 5


@dataclass(frozen=True, slots=True)
class Admitted:
    """A participant may join, with these grants. Without `role`, the token's own count (a recorder, an agent)."""

    role: Role | None
    grants: Grants | None
    room_expires_at_ms: Millis


class AdmissionService:
    """Applies what a token alone cannot hold: the room's expiry, a revoked token, a changed role, the chat's switch."""

    def __init__(self, *, store: Store, clock: Clock, media: MediaServerClient) -> None:
        self._store = store
        self._clock = clock
        self._media = media

    async def admit(
        self, room_name: str, identity: Identity, token_role: Role | None, issued_at_ms: Millis
    ) -> Admitted:
        """Decide about a participant that connects with a valid token.

        Raises NotFound when the room has expired, Forbidden when the token was revoked by a disconnect.
        """
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> tuple[Room, Membership | None]:
            room = find_room(tx, room_name, now_ms)
            return room, tx.memberships.find(room.name, identity)

        room, membership = await self._store.read(work)
        if membership is not None and membership.revokes(issued_at_ms):
            raise Forbidden("token_dead", "You were removed from this meeting", name="Participant Error")
        if token_role is None:
            return Admitted(role=None, grants=None, room_expires_at_ms=room.expires_at_ms)
        role = membership.role_for(token_role, issued_at_ms) if membership is not None else token_role
        grants = grants_for(role, chat_enabled=room.preferences.chat_enabled)
        return Admitted(role, grants, room.expires_at_ms)

    async def enforce(self, room: RoomName) -> None:
        """Apply the current rules to every participant of a room, until a pass finds nothing to change.

        Preferences and roles may change at the same time: the pass after the last change cannot leave old rules.
        """
        for _ in range(_MAX_PASSES):
            changed = [await self._enforce(room, participant) for participant in await self._media.participants(room)]
            if not any(changed):
                return

    async def enforce_reported(self, room: RoomName, reported: LiveParticipant) -> None:
        """Apply the current rules to a participant. A report may be late: what changes is who is connected now."""
        if await self._expected(room, reported) != (reported.role, reported.grants):
            current = await self._media.participant(room, reported.identity)
            if current is not None:
                await self._enforce(room, current)

    async def _enforce(self, room: RoomName, participant: LiveParticipant) -> bool:
        """Change a participant that does not have its expected role and grants; False when it has."""
        role, grants = await self._expected(room, participant)
        if (role, grants) == (participant.role, participant.grants):
            return False
        if role is None or grants is None:
            _log.info("in the meeting with a revoked token: removed", room=room)
            await self._media.remove(room, participant.identity)
        else:
            await self._media.set_role(room, participant, role, grants)
        return True

    async def _expected(self, room: RoomName, participant: LiveParticipant) -> tuple[Role | None, Grants | None]:
        """Return the role and grants that a participant should have; (None, None) when it must not be connected."""
        if participant.role is None:
            return None, participant.grants
        try:
            admitted = await self.admit(room, participant.identity, participant.role, participant.issued_at_ms)
        except (NotFound, Forbidden):
            return None, None
        return admitted.role, admitted.grants
