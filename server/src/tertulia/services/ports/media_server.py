"""The media server, to which the live state belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tertulia.domain.access import Grants, Role
from tertulia.domain.ids import Identity, MeetingId, Millis, RoomName
from tertulia.domain.participants import LiveParticipant


class MediaServerClient(Protocol):
    """The media server by its public API. Raises `Unavailable` when it cannot be reached."""

    async def check(self) -> None:
        """Raise Unavailable unless the media server answers."""
        ...

    async def rooms(self, names: Sequence[RoomName] = ()) -> list[RoomName]:
        """List the rooms that have a running meeting: all, or those of some names."""
        ...

    async def meetings(self, names: Sequence[RoomName] = ()) -> dict[RoomName, MeetingId]:
        """Find the running meetings of all rooms, or of those of some names."""
        ...

    async def participant_counts(self, names: Sequence[RoomName] = ()) -> dict[RoomName, int]:
        """Tell how many are in each running meeting, without hidden ones: of all rooms, or of some. One request."""
        ...

    async def participants(self, room: RoomName) -> list[LiveParticipant]:
        """List the connected participants, hidden ones too; none when there is no meeting."""
        ...

    async def participant(self, room: RoomName, identity: Identity) -> LiveParticipant | None:
        """Find a connected participant."""
        ...

    async def remove(self, room: RoomName, identity: Identity) -> bool:
        """Disconnect a participant; False when it is not connected."""
        ...

    async def end(self, room: RoomName) -> None:
        """Disconnect every participant and tell them why; a meeting that does not run is not an error."""
        ...

    async def set_role(self, room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        """Change a participant's role and grants at once; one that has just left is not an error."""
        ...

    async def mute(self, room: RoomName, participant: LiveParticipant, *, source: str = "microphone") -> None:
        """Mute a participant's microphone or camera; one that has just left is not an error."""
        ...

    async def set_hand(self, room: RoomName, participant: LiveParticipant, raised_at_ms: Millis | None) -> None:
        """Show to all when a participant raised its hand, or that it is down; one that has left is not an error."""
        ...

    async def send(
        self, room: RoomName, topic: str, message: Mapping[str, object], to: Sequence[Identity] = ()
    ) -> None:
        """Send a message without a sender, which no client can do, to some participants or to all."""
        ...

    async def stop_recorder(self, room: RoomName, identity: Identity, *, age_s: float) -> None:
        """Tell a recorder that its recording was stopped `age_s` ago; one that is not connected is not an error."""
        ...
