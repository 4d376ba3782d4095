"""The lobby: where guests of a room wait until a moderator lets them in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tertulia.domain.ids import Identity, Millis, RoomName

SEEN_WITHIN_MS: Final = 15_000
"""A guest who has not asked for so long has gone."""
MAX_WAITING: Final = 200
LOBBY_IDLE_MS: Final = 24 * 3600 * 1000
"""How long what a moderator decided is kept."""


class LobbyState(StrEnum):
    """What a moderator decided about a guest."""

    WAITING = "waiting"
    ADMITTED = "admitted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks to be let in. The ticket is the guest's own secret: it proves who may take the token."""

    room: RoomName
    identity: Identity
    ticket: str
    state: LobbyState
    entered_at_ms: Millis
    seen_at_ms: Millis

    def waits(self, now_ms: Millis) -> bool:
        """Return whether the guest is still there and nothing was decided."""
        return self.state is LobbyState.WAITING and now_ms - self.seen_at_ms < SEEN_WITHIN_MS
