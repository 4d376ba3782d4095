"""A participant: what it may do, who counts it, and how its claims change."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol.models import ClientInfo, DisconnectReason, ParticipantInfo, ParticipantPermission, TrackSource
from livekit.protocol.rtc import SubscriptionPermission, TrackPermission

from tertulia_sfu.ids import ApiKey, Identity, ParticipantSid, TrackSid
from tertulia_sfu.rooms.participant import Participant, SubscriptionPreferences
from tertulia_sfu.rooms.track_access import TrackAccess
from tertulia_sfu.tokens import Claims, VideoGrant

CAMERA, MICROPHONE = TrackSource.CAMERA, TrackSource.MICROPHONE
TRACK = TrackSid("TR_1")


def participant(identity: str = "ann", *, claims: dict[str, Any] | None = None, **grants: Any) -> Participant:
    return Participant(
        sid=ParticipantSid(f"PA_{identity}"),
        claims=Claims(
            api_key=ApiKey("k"),
            identity=Identity(identity),
            expires_at=0.0,
            video=VideoGrant(room="room", **grants),
            **(claims or {}),
        ),
        client=ClientInfo(),
        preferences=SubscriptionPreferences(auto_subscribe=True, adaptive_stream=False),
        joined_at=1.5,
    )


@pytest.mark.parametrize(
    ("claims", "grants", "is_dependent", "is_recorder", "is_counted"),
    [
        ({}, {}, False, False, True),
        ({}, {"hidden": True}, False, False, False),
        ({}, {"recorder": True}, True, True, False),
        ({"kind": ParticipantInfo.EGRESS}, {}, True, True, False),
        ({"kind": ParticipantInfo.AGENT}, {}, True, False, False),
        ({"kind": ParticipantInfo.SIP}, {}, False, False, True),
    ],
)
def test_who_counts(
    claims: dict[str, Any], grants: dict[str, Any], is_dependent: bool, is_recorder: bool, is_counted: bool
) -> None:
    ann = participant(claims=claims, **grants)
    assert (ann.is_dependent, ann.is_recorder, ann.is_counted) == (is_dependent, is_recorder, is_counted)


def test_sources_restrict_publishing() -> None:
    assert participant().may_publish(CAMERA)
    assert not participant(can_publish=False).may_publish(CAMERA)
    ann = participant(can_publish_sources=(MICROPHONE,))
    assert ann.may_publish(MICROPHONE)
    assert not ann.may_publish(CAMERA)
    assert not ann.may_publish(TrackSource.UNKNOWN)


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ({"participant_identity": "bob", "all_tracks": True}, True),
        ({"participant_sid": "PA_bob", "track_sids": [TRACK]}, True),
        ({"participant_identity": "bob", "track_sids": ["TR_2"]}, False),
        ({"participant_identity": "eve", "all_tracks": True}, False),
    ],
)
def test_a_participant_decides_who_receives_its_tracks(permission: dict[str, Any], allowed: bool) -> None:
    ann, bob = participant("ann"), participant("bob")
    assert ann.allows(bob, TRACK)
    ann.track_access = TrackAccess.of(SubscriptionPermission(track_permissions=[TrackPermission(**permission)]))
    assert ann.allows(bob, TRACK) is allowed


def test_claims_change_as_far_as_given() -> None:
    ann = participant(claims={"name": "Ann", "metadata": "m", "attributes": {"a": "1", "b": "2"}})
    ann.change_claims(attributes={"a": "", "c": "3"})
    assert (ann.claims.name, ann.claims.metadata, ann.claims.attributes) == ("Ann", "m", {"b": "2", "c": "3"})
    ann.change_claims(name="", permission=ParticipantPermission(can_subscribe=True))
    assert ann.claims.name == ""
    assert not ann.claims.video.can_publish, "a permission replaces the whole set"
    assert ann.claims.video.room == "room"


def test_a_resume_fault_is_taken_as_often_as_it_was_armed_and_in_time() -> None:
    ann = participant()
    assert ann.take_resume_fault(0.0) is None
    ann.arm_resume_fault(silent=True, times=2, until=5.0)
    assert [ann.take_resume_fault(at) is not None for at in (1.0, 5.0, 5.0)] == [True, True, False]
    ann.arm_resume_fault(silent=True, times=2, until=5.0)
    assert ann.take_resume_fault(5.1) is None


def test_preferences_override_auto_subscribe_until_forgotten() -> None:
    preferences = SubscriptionPreferences(auto_subscribe=False, adaptive_stream=False)
    preferences.subscribed[TRACK] = True
    assert preferences.wants(TRACK)
    preferences.forget(TRACK)
    assert not preferences.wants(TRACK)


def test_the_info_has_times_in_both_units_and_the_reason() -> None:
    info = participant().info(DisconnectReason.ROOM_DELETED)
    assert (info.joined_at, info.joined_at_ms) == (1, 1500)
    assert info.disconnect_reason == DisconnectReason.ROOM_DELETED
    assert not info.is_publisher
