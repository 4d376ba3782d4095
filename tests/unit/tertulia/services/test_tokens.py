"""Tokens: what is signed is read again, and nothing else is."""

from __future__ import annotations

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.domain.access import Role
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.participants import NAME_LENGTH
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.tokens import (
    ConsoleTokens,
    ParticipantMetadata,
    ParticipantTokens,
    RecorderTokens,
    TokenKind,
    derive_key,
    recorder_identity,
)

SECRET = "s" * 40
NOW = Millis(1_800_000_000_000)
TOKENS = ParticipantTokens(api_key="key", api_secret=SECRET, media_url="ws://x")


def room(**changes) -> Room:
    values = {
        "name": RoomName("room-abc"), "prefix": None, "created_at_ms": NOW, "expires_at_ms": Millis(NOW + 10**10),
        "max_participants": None, "preferences": RoomPreferences(), "secrets": RoleSecrets("m", "p", "v"),
    }  # fmt: skip
    return Room(**values | changes)


@given(st.text(min_size=1, max_size=50), st.sampled_from(Role), st.integers(1, 10**9))
def test_what_is_signed_is_read(name: str, role: Role, later: int):
    made = TOKENS.sign(room(), Identity(name), role, issued_at_ms=Millis(NOW + later))
    read = TOKENS.read(made)
    assert read is not None
    assert (read.room, read.identity, read.role, read.issued_at_ms) == ("room-abc", name, role, NOW + later)


@given(st.text(max_size=300))
def test_nonsense_is_no_token(text: str):
    assert TOKENS.read(text) is None
    assert ConsoleTokens("secret").read(TokenKind.ACCESS, text, now_ms=NOW) is None
    assert ParticipantMetadata.parse(text) is None


@given(st.integers(1, 10**8))
def test_a_token_never_outlives_its_room(rest_ms: int):
    short = room(expires_at_ms=Millis(NOW + rest_ms))
    claims = jwt.decode(
        TOKENS.sign(short, Identity("a"), Role.VIEWER, issued_at_ms=NOW), options={"verify_signature": False}
    )
    assert claims["exp"] * 1000 <= short.expires_at_ms
    assert claims["exp"] * 1000 <= NOW + 6 * 3600 * 1000


def test_max_participants_travels_in_the_token():
    made = TOKENS.sign(room(max_participants=7), Identity("a"), Role.VIEWER, issued_at_ms=NOW)
    assert (
        jwt.decode(made, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False})[
            "roomConfig"
        ]["maxParticipants"]
        == 7
    )


@pytest.mark.parametrize("kind", list(TokenKind))
@pytest.mark.parametrize("other", list(TokenKind))
def test_a_kind_is_read_as_itself_only(kind: TokenKind, other: TokenKind):
    console = ConsoleTokens("secret")
    made = console.sign(kind, "admin", now_ms=NOW, sid="s")
    assert (console.read(other, made, now_ms=NOW) is not None) == (kind is other)
    assert ConsoleTokens("other secret").read(kind, made, now_ms=NOW) is None
    assert console.read(kind, made, now_ms=Millis(NOW + 10**9)) is None


def test_keys_differ_by_purpose():
    purposes = [f"token:{kind}" for kind in TokenKind] + ["api-key"]
    assert len({derive_key("secret", purpose) for purpose in purposes}) == len(purposes)


def test_a_recorder_can_only_listen_and_has_a_name_that_no_participant_can_have() -> None:
    tokens, recording = RecorderTokens(api_key="key", api_secret=SECRET), RecordingId("r")
    token = tokens.sign(room(max_participants=3), recording, now_ms=NOW, lifetime_s=60.5)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False})
    video = claims["video"]
    assert {name for name, value in video.items() if value is True} == {
        "roomJoin",
        "canSubscribe",
        "hidden",
        "recorder",
    }
    assert (video["room"], claims["exp"] - claims["nbf"]) == ("room-abc", 61 + 2 * 3900)
    assert claims["roomConfig"]["maxParticipants"] == 3
    assert claims["sub"] == recorder_identity(recording)
    assert len(claims["sub"]) > NAME_LENGTH
