"""Access tokens: what is accepted, what is refused, and what a refreshed one says."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import api
from livekit.protocol.models import ParticipantInfo, TrackSource

from tertulia_sfu.errors import GrantMissing, InvalidRequest, InvalidToken
from tertulia_sfu.tokens import Tokens, VideoGrant, require_join

KEY, SECRET, NOW = "key", "a-secret-for-tests-only-" * 4, 1_800_000_000
TOKENS = Tokens({KEY: SECRET, "other": "another-secret-0123456789abcdefghijk"}, lambda: NOW)


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    payload = {"iss": KEY, "sub": "ann", "exp": NOW + 60, "video": {"roomJoin": True, "room": "r"}} | claims
    body = json.dumps({key: value for key, value in payload.items() if value is not None}).encode()
    return jwt.api_jws.encode(body, secret, algorithm=algorithm)


def test_a_token_of_the_official_sdk_is_read_whole() -> None:
    made = api.AccessToken(KEY, SECRET).with_identity("ann").with_name("Ann").with_metadata("m")
    made = made.with_attributes({"a": "b"}).with_kind("agent")
    made = made.with_grants(api.VideoGrants(room_join=True, room="r", can_publish_sources=["camera"], hidden=True))
    made = made.with_room_config(api.RoomConfiguration(max_participants=3))
    claims = Tokens({KEY: SECRET}, time.time).verify(made.to_jwt())
    assert (claims.identity, claims.name, claims.metadata, claims.attributes) == ("ann", "Ann", "m", {"a": "b"})
    assert claims.kind == ParticipantInfo.AGENT
    assert claims.video.hidden
    assert claims.video.can_publish_sources == (TrackSource.CAMERA,)
    assert claims.room_config is not None
    assert claims.room_config.max_participants == 3


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "a.b.c",
        signed(exp=NOW - 61),
        signed(exp=None),
        signed(exp="soon"),
        signed(exp=True),
        signed(nbf=NOW + 61),
        signed(iss="unknown"),
        signed(iss=["key"]),
        signed(iss="other"),
        signed(secret="wrong-secret-0123456789abcdefghijklmno"),
        signed(secret="", algorithm="none"),
        signed(algorithm="HS512"),
        signed(video="all"),
        signed(video={"room": 5, "roomJoin": True}),
        signed(video={"canPublishSources": "camera"}),
        signed(name=5),
        signed(attributes=[1]),
        signed(attributes={"a": 1}),
        signed(kind="king"),
        signed(kindDetails="forwarded"),
        signed(roomConfig={"maxParticipants": "many"}),
        signed(roomConfig=[]),
    ],
)
def test_invalid_tokens_are_refused(bad: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        TOKENS.verify(bad)
    assert SECRET not in str(caught.value)
    assert bad == "" or len(bad) < 4 or bad not in str(caught.value)


def test_one_minute_of_leeway() -> None:
    assert TOKENS.verify(signed(exp=NOW - 59)).identity == "ann"
    assert TOKENS.verify(signed(nbf=NOW + 59)).identity == "ann"


def test_a_tampered_payload_is_refused() -> None:
    header, _payload, signature = signed().split(".")
    forged = {"iss": KEY, "sub": "admin", "exp": NOW + 60, "video": {"roomJoin": True, "room": "r", "roomAdmin": True}}
    payload = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    with pytest.raises(InvalidToken):
        TOKENS.verify(f"{header}.{payload}.{signature}")


@given(st.text(max_size=200))
def test_garbage_is_refused_and_never_a_fault(text: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["video", "name", "metadata", "attributes", "kind", "roomConfig", "sub", "nbf", "iat"]), JSON
    )
)
def test_well_signed_nonsense_is_read_or_refused(claims: dict[str, Any]) -> None:
    with suppress(InvalidToken):
        TOKENS.verify(signed(**claims))


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        ({}, {"can_publish": True, "can_subscribe": True, "can_publish_data": True, "can_update_own_metadata": False}),
        ({"canPublish": False}, {"can_publish": False, "can_publish_data": False}),
        ({"canPublish": False, "canPublishData": True}, {"can_publish": False, "can_publish_data": True}),
        ({"canPublishData": False}, {"can_publish": True, "can_publish_data": False}),
        ({"canPublishSources": ["hologram"]}, {"can_publish_sources": (TrackSource.UNKNOWN,)}),
        ({"hidden": "yes"}, {"hidden": False}),
    ],
)
def test_defaults_of_a_grant(grant: dict[str, Any], expected: dict[str, Any]) -> None:
    video = TOKENS.verify(signed(video={"roomJoin": True, "room": "r"} | grant)).video
    assert {name: getattr(video, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"video": {"room": "r"}}, GrantMissing),
        ({"video": {"roomJoin": True}}, InvalidRequest),
        ({"sub": ""}, InvalidRequest),
        ({"sub": "x" * 257}, InvalidRequest),
        ({"video": {"roomJoin": True, "room": "r" * 257}}, InvalidRequest),
    ],
)
def test_joining_needs_a_room_and_an_identity(claims: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        require_join(TOKENS.verify(signed(**claims)))


def test_a_refreshed_token_says_the_same_and_lives_longer() -> None:
    video = {"roomJoin": True, "room": "r", "canPublish": False, "canPublishSources": ["camera"], "hidden": True}
    video["canManageAgentSession"] = True
    said = {"name": "Ann", "metadata": "m", "attributes": {"a": "b"}, "kindDetails": ["forwarded", "unheard of"]}
    claims = TOKENS.verify(signed(video=video, roomConfig={"maxParticipants": 2, "tags": {"a": "b"}}, **said))
    assert claims.video.permission().can_manage_agent_session
    assert claims.kind_details == (ParticipantInfo.FORWARDED,)
    assert claims.room_config is not None
    assert dict(claims.room_config.tags) == {"a": "b"}
    again = TOKENS.verify(TOKENS.refresh(claims))
    assert again.expires_at == NOW + 600
    for name in ("identity", "name", "metadata", "attributes", "video", "kind", "kind_details", "room_config"):
        assert getattr(again, name) == getattr(claims, name), name
    assert TOKENS.verify(TOKENS.refresh(claims, not_after=NOW + 5)).expires_at == NOW + 5


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_permission_and_a_grant_say_the_same(publish: bool, subscribe: bool, data: bool, hidden: bool) -> None:
    video = VideoGrant(room="r", can_publish=publish, can_subscribe=subscribe, can_publish_data=data, hidden=hidden)
    assert VideoGrant(room="r").with_permission(video.permission()) == video
