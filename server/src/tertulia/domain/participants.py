"""Participants: who is connected, and what is kept of an identity: its role, and which of its tokens are valid."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from tertulia.domain.access import Grants, Role
from tertulia.domain.ids import Identity, Millis, RoomName

NAME_LENGTH: Final = 128
RESERVATION_MS: Final = 10_000
"""How long an identity stays reserved after a token was issued for it, until its holder has connected."""
TOKEN_LIFETIME_MS: Final = 6 * 3600 * 1000
"""How long a participant's token, and its login at a TURN server, are valid at most."""
MEMBERSHIP_IDLE_MS: Final = 24 * 3600 * 1000
"""How long a membership is kept after it last decided anything; longer than any token lives."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What is kept of an identity in a room, whether or not a participant is connected under it.

    `role` is set only when a moderator changed it (at `role_changed_at_ms`). Tokens issued up to
    `tokens_revoked_until_ms` were revoked by a disconnect.
    """

    room: RoomName
    identity: Identity
    role: Role | None = None
    role_changed_at_ms: Millis = Millis(0)
    reserved_until_ms: Millis = Millis(0)
    tokens_revoked_until_ms: Millis = Millis(0)

    def revokes(self, issued_at_ms: Millis) -> bool:
        """Return whether a token of that age was revoked when its holder was disconnected."""
        return issued_at_ms <= self.tokens_revoked_until_ms

    def role_for(self, token_role: Role, issued_at_ms: Millis) -> Role:
        """Return the role of a token's holder: a change by a moderator beats the role inside an older token."""
        if self.role is None or issued_at_ms > self.role_changed_at_ms:
            return token_role
        return self.role

    def role_for_new_token(self, link_role: Role, *, presents_token: bool) -> Role:
        """Return the role that a new token gets.

        A promotion stays with the participant who was promoted (who can present a valid token); a demotion stays with
        the identity.
        """
        if self.role is None:
            return link_role
        if presents_token:
            return self.role
        return min(self.role, link_role, key=lambda role: role.rank)

    def reserved_since(self, joined_at_ms: Millis) -> bool:
        """Return whether the identity was reserved again after that join; 0 is an unknown instant."""
        return 0 < joined_at_ms < self.reserved_until_ms - RESERVATION_MS

    def next_issued_at_ms(self, now_ms: Millis) -> Millis:
        """Return the issue date of a new token: later than everything that revoked or changed older ones."""
        return Millis(max(now_ms, self.tokens_revoked_until_ms + 1, self.role_changed_at_ms + 1))


@dataclass(frozen=True, slots=True)
class LivePublication:
    """A track that a participant publishes. Of sound, and where the media server does not say it, sizes are 0."""

    sid: str
    source: str
    muted: bool
    width: int = 0
    height: int = 0
    mime_type: str = ""


@dataclass(frozen=True, slots=True)
class LiveParticipant:
    """A connected participant, as the media server reports it. Without `role`, the token was not issued by us."""

    identity: Identity
    name: str
    joined_at_ms: Millis
    role: Role | None
    grants: Grants
    hidden: bool
    publications: tuple[LivePublication, ...] = ()
    issued_at_ms: Millis = Millis(0)
    metadata: str = ""
    hand_raised_at_ms: Millis | None = None


def name_problem(name: str) -> str | None:
    """Return what is wrong with a participant's name, or None. Markup and emoji are only text."""
    if not 1 <= len(name) <= NAME_LENGTH:
        return f"must have 1 to {NAME_LENGTH} characters"
    if not name.strip():
        return "must not be blank"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "must not contain control characters"
    return None
