"""The media server, to which the live state belongs."""

from __future__ import annotations

from typing import Protocol

from tertulia.domain.access import Grants, Role
from tertulia.domain.ids import Identity, RoomName
from tertulia.domain.participants import LiveParticipant


class MediaServerClient(Protocol):
    """The media server by its public API. Raises `Unavailable` when it cannot be reached."""

    async def rooms(self) -> list[RoomName]:
        """List the rooms that live right now."""
        ...

    async def participants(self, room: RoomName) -> list[LiveParticipant]:
        """List who is in, hidden participants too; nobody when the room does not live."""
        ...

    async def participant(self, room: RoomName, identity: Identity) -> LiveParticipant | None:
        """Look for one participant."""
        ...

    async def remove(self, room: RoomName, identity: Identity) -> bool:
        """Disconnect somebody; False when nobody of that name is in."""
        ...

    async def end(self, room: RoomName) -> None:
        """Tell everybody and disconnect them; a room that does not live is no error."""
        ...

    async def set_role(self, room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        """Change what somebody may do, at once; somebody who has just left is no error."""
        ...

    async def mute(self, room: RoomName, participant: LiveParticipant) -> None:
        """Switch off somebody's microphone; somebody who has just left is no error."""
        ...
