"""Rooms: names, expiry, preferences, and one secret for each role."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar, get_args

from tertulia.domain.access import Role
from tertulia.domain.ids import Millis, RoomName

SUFFIX_LENGTH: Final = 15
SUFFIX_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
PREFIX_LENGTH: Final = 64
MAX_PARTICIPANTS: Final = 4_294_967_295
Codec = Literal["video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red"]
"""What the embedded media server knows, by MIME type."""
T = TypeVar("T")
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,80}\Z")


@dataclass(frozen=True, slots=True)
class RoomPreferences:
    """What a room allows."""

    chat_enabled: bool = True
    recording_enabled: bool = True
    virtual_background_enabled: bool = True
    lobby_enabled: bool = False
    """Publishers and viewers wait until a moderator lets them in."""
    chat_history_enabled: bool = True
    """Messages are kept until the meeting ends, for those who come later."""
    chat_files_enabled: bool = True
    codecs: str = ""
    """The only codecs that may be used, from the next meeting on (`codecs_text`); empty: all."""


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """A partial change of preferences; `None` leaves a part as it is."""

    chat_enabled: bool | None = None
    recording_enabled: bool | None = None
    virtual_background_enabled: bool | None = None
    lobby_enabled: bool | None = None
    chat_history_enabled: bool | None = None
    chat_files_enabled: bool | None = None
    codecs: str | None = None

    def applied_to(self, old: RoomPreferences) -> RoomPreferences:
        """Return the preferences after the change."""

        def pick(new: T | None, kept: T) -> T:
            return kept if new is None else new

        return RoomPreferences(
            chat_enabled=pick(self.chat_enabled, old.chat_enabled),
            recording_enabled=pick(self.recording_enabled, old.recording_enabled),
            virtual_background_enabled=pick(self.virtual_background_enabled, old.virtual_background_enabled),
            lobby_enabled=pick(self.lobby_enabled, old.lobby_enabled),
            chat_history_enabled=pick(self.chat_history_enabled, old.chat_history_enabled),
            chat_files_enabled=pick(self.chat_files_enabled, old.chat_files_enabled),
            codecs=pick(self.codecs, old.codecs),
        )


@dataclass(frozen=True, slots=True)
class RoleSecrets:
    """The secrets in the links of a room: a client that has a role's secret may join with that role."""

    moderator: str
    publisher: str
    viewer: str

    def role_of(self, secret: str) -> Role | None:
        """Return the role of a secret, found in constant time; None when it is none of the three."""
        offered = secret.encode()
        found: Role | None = None
        for role, known in (
            (Role.MODERATOR, self.moderator),
            (Role.PUBLISHER, self.publisher),
            (Role.VIEWER, self.viewer),
        ):
            if hmac.compare_digest(offered, known.encode()):
                found = role
        return found


@dataclass(frozen=True, slots=True)
class Room:
    """A room, until it expires. `prefix` is what its creator sent, unsanitised.

    `locked`: only moderators, and participants who have been in it, get in.
    """

    name: RoomName
    prefix: str | None
    created_at_ms: Millis
    expires_at_ms: Millis
    max_participants: int | None
    preferences: RoomPreferences
    secrets: RoleSecrets
    locked: bool = False

    def has_expired(self, now_ms: Millis) -> bool:
        """Return whether the room has expired: from that instant on it does not exist for any client."""
        return now_ms >= self.expires_at_ms

    def with_preferences(self, change: PreferencesChange) -> Room:
        """Return the room with its preferences changed."""
        return replace(self, preferences=change.applied_to(self.preferences))


def codecs_text(codecs: Collection[Codec]) -> str:
    """Return codecs as rooms keep them: separated by commas, in one order. Raises ValueError for a choice without sound
    or video; none at all means all."""
    chosen = [codec for codec in get_args(Codec) if codec in codecs]
    if chosen and not ("audio/opus" in chosen and chosen[0].startswith("video/")):
        raise ValueError("name audio/opus and at least one codec for video, or none to allow all")
    return ",".join(chosen)


def could_be_room_name(text: str) -> bool:
    """Return whether a text can be a room's name; the store is not asked about any other."""
    return _NAME.match(text) is not None


def sanitise_prefix(text: str) -> str:
    """Return the readable part of a room's name, made from what an application sent; may be empty."""
    plain = re.sub(r"[^A-Za-z0-9-]", "", "-".join(text.split()))
    trimmed = re.sub(r"-+", "-", plain).strip("-")
    return trimmed[:PREFIX_LENGTH].strip("-")


def room_name(prefix: str | None, suffix: str) -> RoomName:
    """Return a room's name, made from what an application sent and a random suffix."""
    head = sanitise_prefix(prefix or "")
    return RoomName(f"{head}-{suffix}" if head else suffix)
