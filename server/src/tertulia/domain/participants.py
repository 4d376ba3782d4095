"""Participants: a name in a room, the role kept for it, and which of its tokens still live."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from tertulia.domain.access import Grants, Role
from tertulia.domain.ids import Identity, Millis, RoomName

NAME_LENGTH: Final = 128
RESERVATION_MS: Final = 10_000
"""How long a name stays taken after a token was given for it, until its holder has connected."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What is kept about a name in a room, whether or not anybody is connected under it.

    `role` is set only when a moderator changed it (at `role_changed_at_ms`). Tokens issued up to `dead_before_ms` were
    given to somebody who was disconnected.
    """

    room: RoomName
    identity: Identity
    role: Role | None = None
    role_changed_at_ms: Millis = Millis(0)
    reserved_until_ms: Millis = Millis(0)
    dead_before_ms: Millis = Millis(0)

    def is_dead(self, issued_at_ms: Millis) -> bool:
        """Tell whether a token of that age died when its holder was disconnected."""
        return issued_at_ms <= self.dead_before_ms

    def role_for(self, token_role: Role, issued_at_ms: Millis) -> Role:
        """Tell the role of a token's holder: a change by a moderator beats the role inside an older token."""
        if self.role is None or issued_at_ms > self.role_changed_at_ms:
            return token_role
        return self.role

    def role_for_new_token(self, link_role: Role, *, same_person: bool) -> Role:
        """Tell the role that a new token gets.

        A promotion stays with the person who was promoted (who can show a token); a demotion stays with the name.
        """
        if self.role is None:
            return link_role
        if same_person:
            return self.role
        return min(self.role, link_role, key=lambda role: role.rank)

    def reserved_since(self, joined_at_ms: Millis) -> bool:
        """Tell whether the name was reserved again after somebody joined under it; 0 is an unknown instant."""
        return 0 < joined_at_ms < self.reserved_until_ms - RESERVATION_MS

    def next_issue(self, now_ms: Millis) -> Millis:
        """Tell the issue date of a new token: later than everything that killed or changed older ones."""
        return Millis(max(now_ms, self.dead_before_ms + 1, self.role_changed_at_ms + 1))


@dataclass(frozen=True, slots=True)
class LivePublication:
    """A track that somebody publishes right now."""

    sid: str
    source: str
    muted: bool


@dataclass(frozen=True, slots=True)
class LiveParticipant:
    """Somebody who is connected, as the media server tells it."""

    identity: Identity
    name: str
    joined_at_ms: Millis
    role: Role | None
    grants: Grants
    hidden: bool
    publications: tuple[LivePublication, ...] = ()
    issued_at_ms: Millis = Millis(0)
    metadata: str = ""


def name_problem(name: str) -> str | None:
    """Say what is wrong with a participant's name, or nothing. Markup and emoji are only text."""
    if not 1 <= len(name) <= NAME_LENGTH:
        return f"must have 1 to {NAME_LENGTH} characters"
    if not name.strip():
        return "must not be blank"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "must not contain control characters"
    return None
