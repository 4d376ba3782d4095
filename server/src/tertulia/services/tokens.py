"""Tokens: the claims of each kind, how it is signed, and that one kind never passes for another.

A participant's token is a LiveKit access token, signed with the media server's secret. Ours (access, refresh, ticket)
are signed with keys derived from the installation's secret key, one key a kind (HKDF, RFC 5869), and carry `typ` and
`aud`. Algorithms are pinned: a token never chooses its own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import jwt

from tertulia.domain.access import Role, grants_for
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.participants import NAME_LENGTH, TOKEN_LIFETIME_MS
from tertulia.domain.rooms import Room

_ALGORITHM: Final = "HS256"
_EMPTY_TIMEOUT_S: Final = 300
_DEPARTURE_TIMEOUT_S: Final = 20
CODECS_TAG: Final = "tertulia.codecs"
"""The tag of a room by which the embedded media server knows its codecs; others ignore it."""
_CLOCK_SKEW_S: Final = 3600 + 300
"""A recorder's token has to work for hours on a machine that nobody looks at, whatever its clock."""


@dataclass(frozen=True, slots=True)
class ParticipantToken:
    """The claims of a participant's token."""

    room: RoomName
    identity: Identity
    role: Role
    issued_at_ms: Millis
    expires_at_ms: Millis


@dataclass(frozen=True, slots=True)
class ParticipantMetadata:
    """What we write into the `metadata` claim, which every participant of the room can read."""

    role: Role
    issued_at_ms: Millis

    @classmethod
    def parse(cls, text: object) -> ParticipantMetadata | None:
        """Return what metadata of ours says; None for other metadata."""
        try:
            value = json.loads(str(text))
            return cls(Role(value["role"]), Millis(int(value["issuedAt"])))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    @staticmethod
    def in_text(text: str, *, role: Role) -> str:
        """Return metadata of ours with another role."""
        return json.dumps(json.loads(text) | {"role": role})


class ParticipantTokens:
    """Signs and reads participants' tokens with the media server's key and secret."""

    def __init__(self, *, api_key: str, api_secret: str, media_url: str) -> None:
        self._api_key = api_key
        self._api_secret = api_secret
        self._media_url = media_url

    def sign(self, room: Room, identity: Identity, role: Role, *, issued_at_ms: Millis) -> str:
        """Return a token with the role's grants and no other; it expires with the room at the latest."""
        grants = grants_for(role, chat_enabled=room.preferences.chat_enabled)
        expires_at_ms = min(issued_at_ms + TOKEN_LIFETIME_MS, room.expires_at_ms)
        metadata = {"livekitUrl": self._media_url, "role": role, "issuedAt": issued_at_ms}
        claims = {
            "iss": self._api_key,
            "sub": identity,
            "name": identity,
            "nbf": issued_at_ms // 1000,
            "exp": expires_at_ms // 1000,
            "video": {
                "room": room.name,
                "roomJoin": True,
                "canPublish": grants.can_publish,
                "canSubscribe": grants.can_subscribe,
                "canPublishData": grants.can_publish_data,
                "canUpdateOwnMetadata": False,
            },
            "metadata": json.dumps(metadata),
            "roomConfig": room_config(room),
        }
        return jwt.encode(claims, self._api_secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> ParticipantToken | None:
        """Return the claims of a participant's token that we signed, expired or not; None for any other text."""
        try:
            claims = jwt.decode(
                token,
                self._api_secret,
                algorithms=[_ALGORITHM],
                issuer=self._api_key,
                options={"require": ["exp", "sub", "iss"], "verify_exp": False, "verify_nbf": False},
            )
            metadata = ParticipantMetadata.parse(claims.get("metadata"))
            if metadata is None or "typ" in claims or claims["video"]["roomJoin"] is not True:
                return None
            return ParticipantToken(
                room=RoomName(str(claims["video"]["room"])),
                identity=Identity(str(claims["sub"])),
                role=metadata.role,
                issued_at_ms=metadata.issued_at_ms,
                expires_at_ms=Millis(int(claims["exp"]) * 1000),
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            return None


class RecorderTokens:
    """Signs the tokens that recorders join with: hidden, subscribe only, announced as a recording."""

    def __init__(self, *, api_key: str, api_secret: str) -> None:
        self._api_key = api_key
        self._api_secret = api_secret

    def sign(self, room: Room, recording_id: RecordingId, *, now_ms: Millis, lifetime_s: float) -> str:
        """Return a token that is valid for `lifetime_s`, by the clock of any media server that is at most an hour off.

        It may outlive the room: the media server ends the meeting, and the recording with it.
        """
        claims = {
            "iss": self._api_key,
            "sub": recorder_identity(recording_id),
            "nbf": now_ms // 1000 - _CLOCK_SKEW_S,
            "exp": now_ms // 1000 + math.ceil(lifetime_s) + _CLOCK_SKEW_S,
            "video": {
                "room": room.name,
                "roomJoin": True,
                "canPublish": False,
                "canPublishData": False,
                "canSubscribe": True,
                "hidden": True,
                "recorder": True,
            },
            # a recorder that comes back first after a restart makes the room, with its limits
            "roomConfig": room_config(room),
        }
        return jwt.encode(claims, self._api_secret, algorithm=_ALGORITHM)


def recorder_identity(recording_id: RecordingId) -> Identity:
    """Return a recorder's identity, too long to be a participant's name."""
    return Identity(f"recorder-of-{recording_id}".ljust(NAME_LENGTH + 1, "-"))


def room_config(room: Room) -> dict[str, Any]:
    """Return how the media server sets up the room at the first join (LiveKit's RoomConfiguration)."""
    config: dict[str, Any] = {"emptyTimeout": _EMPTY_TIMEOUT_S, "departureTimeout": _DEPARTURE_TIMEOUT_S}
    if room.max_participants is not None:
        config["maxParticipants"] = room.max_participants
    if room.preferences.codecs:
        config["tags"] = {CODECS_TAG: room.preferences.codecs}
    return config


class TokenKind(StrEnum):
    """Our own kinds of token; the value is both `typ` and part of the key's derivation."""

    ACCESS = "access"
    REFRESH = "refresh"
    TICKET = "ticket"


LIFETIME_MS: Final = {
    TokenKind.ACCESS: 15 * 60 * 1000,
    TokenKind.REFRESH: 24 * 3600 * 1000,
    TokenKind.TICKET: 10 * 60 * 1000,
}


def derive_key(secret_key: str, purpose: str) -> bytes:
    """Derive the key for one purpose from the installation's secret (HKDF with SHA-256, one block)."""
    pseudo_random = hmac.digest(b"tertulia", secret_key.encode(), hashlib.sha256)
    return hmac.digest(pseudo_random, purpose.encode() + b"\x01", hashlib.sha256)


class ConsoleTokens:
    """Signs and reads the tokens of login sessions and of streams."""

    def __init__(self, secret_key: str) -> None:
        self._keys = {kind: derive_key(secret_key, f"token:{kind}") for kind in TokenKind}

    def sign(self, kind: TokenKind, subject: str, *, now_ms: Millis, **claims: str) -> str:
        """Return a token of a kind."""
        own = {
            "sub": subject,
            "typ": kind,
            "aud": f"tertulia:{kind}",
            "iat": now_ms // 1000,
            "exp": (now_ms + LIFETIME_MS[kind]) // 1000,
        }
        return jwt.encode(own | claims, self._keys[kind], algorithm=_ALGORITHM)

    def read(self, kind: TokenKind, token: str, *, now_ms: Millis) -> dict[str, str] | None:
        """Return the claims of a valid token of a kind; None for any other text."""
        try:
            claims = jwt.decode(
                token,
                self._keys[kind],
                algorithms=[_ALGORITHM],
                audience=f"tertulia:{kind}",
                options={"require": ["exp", "sub", "aud"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return None
        if claims.get("typ") != kind or int(claims["exp"]) * 1000 <= now_ms:
            return None
        return {str(name): str(value) for name, value in claims.items()}
