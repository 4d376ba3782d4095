"""What each signal request does, and that a malformed one is never a fault."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.protocol.models import (
    TrackSource,
    TrackType,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    ConnectionSettings,
    JoinRequest,
    LeaveRequest,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SyncState,
    TrackPublishedResponse,
    TrickleRequest,
    UpdateParticipantMetadata,
    UpdateSubscription,
)

from support.meeting import Meeting
from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.rooms.permissions import SIGNALS, Requirement
from tertulia_sfu.rooms.session import _HANDLERS, UNIMPLEMENTED
from tertulia_sfu.signalling.codec import parse_signal_request

AUDIO, VIDEO = TrackType.AUDIO, TrackType.VIDEO
FIELDS = [field.name for field in SignalRequest.DESCRIPTOR.fields]


def test_a_bundled_offer_comes_after_its_tracks_and_subscriptions() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    track = ann.publish()
    request = JoinRequest(
        connection_settings=ConnectionSettings(auto_subscribe=True),
        add_track_requests=[AddTrackRequest(cid="c", type=AUDIO, source=TrackSource.MICROPHONE)],
        publisher_offer=SessionDescription(type="offer", sdp="v=0", id=4),
    )
    bob = meeting.join("bob", connect=False, request=request)
    mine = [command for command in meeting.core.commands if command[1] == bob.sid]
    assert [name for name, _peer, _arguments in mine] == ["add_peer", "subscribe", "expect_track", "offer"]
    assert mine[1][2] == {"track": track}
    meeting.core_event("Answered", bob.sid, offer_id=4, sdp="answer", tracks={"0": track})
    answer = bob.last("answer")
    assert (answer.id, answer.sdp, dict(answer.mid_to_track_id)) == (4, "answer", {"0": track})


@pytest.mark.parametrize(
    ("grants", "request_fields", "reason"),
    [
        ({"can_update_own_metadata": True}, {"name": "Ann", "attributes": {"a": "b"}}, RequestResponse.OK),
        ({}, {"name": "Ann"}, RequestResponse.NOT_ALLOWED),
        ({"can_update_own_metadata": True}, {"name": "n" * 257}, RequestResponse.LIMIT_EXCEEDED),
        ({"can_update_own_metadata": True}, {"metadata": "m" * 600_000}, RequestResponse.LIMIT_EXCEEDED),
        ({"can_update_own_metadata": True}, {"attributes": {"a": "b" * 70_000}}, RequestResponse.LIMIT_EXCEEDED),
    ],
)
def test_a_change_of_own_metadata_is_always_answered(
    grants: dict[str, Any], request_fields: dict[str, Any], reason: int
) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann", **grants), meeting.join("bob")
    for guest in (ann, bob):
        guest.take_kinds()
    ann.request(update_metadata=UpdateParticipantMetadata(request_id=9, **request_fields))
    response = ann.last("request_response")
    assert (response.request_id, response.reason) == (9, reason)
    assert bob.received("update") is (reason == RequestResponse.OK)
    assert ann.received("update") is (reason == RequestResponse.OK)


def test_pings_are_answered_in_both_forms() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.request(ping=5)
    ann.request(ping_req={"timestamp": 7, "rtt": 2})
    assert ann.last("pong") > 1_700_000_000_000
    assert ann.last("pong_resp").last_ping_timestamp == 7


def test_a_client_that_believes_in_unknown_tracks_reconnects_fully() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    state = SyncState(publish_tracks=[TrackPublishedResponse(cid="c", track={"sid": "TR_unknown"})])
    ann.request(sync_state=state)
    assert ann.last("leave").action == LeaveRequest.RECONNECT


def test_sync_state_restores_subscriptions() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    track = ann.publish()
    meeting.core.commands.clear()
    off = UpdateSubscription(track_sids=[track], subscribe=False)
    bob.request(sync_state=SyncState(subscription=off))
    assert meeting.core.named("unsubscribe") == [(bob.sid, {"track": track})]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=60)), max_size=8))
def test_no_request_is_a_fault(requests: list[tuple[str, bytes]]) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    ann.publish()
    for name, payload in requests:
        number = SignalRequest.DESCRIPTOR.fields_by_name[name].number
        frame = bytes([(number << 3 | 2) & 0x7F | (0x80 if number > 15 else 0)])
        frame += bytes([number >> 4]) if number > 15 else b""
        frame += bytes([len(payload)]) + payload
        try:
            request = parse_signal_request(frame)
        except InvalidRequest:
            continue
        ann.session.handle(request, meeting.now)
    meeting.advance(1)
    assert not bob.received("leave")


def test_every_message_is_handled_or_named_as_unimplemented() -> None:
    assert sorted(SIGNALS) == sorted([*_HANDLERS, *UNIMPLEMENTED])


@pytest.mark.parametrize("message", sorted(UNIMPLEMENTED))
def test_unimplemented_messages_need_their_grant_and_have_no_effect(message: str) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob", can_publish=False, can_publish_data=False)
    meeting.core.commands.clear()
    for guest in (ann, bob):
        guest.take_kinds()
        guest.request(**{message: {}})
    assert ann.take_kinds() == []
    assert bob.take_kinds() == ([] if SIGNALS[message] == Requirement.NOTHING else ["request_response"])
    assert meeting.core.commands == []


@pytest.mark.parametrize(
    ("init", "is_readable"),
    [
        ('{"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}', True),
        ('{"candidate": null}', True),
        ("null", True),
        ('{"candidate": 5}', False),
        ('{"candidate": "' + "x" * 1_000_000 + '"}', False),
        ("[" * 100_000, False),
        ("[" * 4_000, False),
        ("7", False),
        ("", False),
    ],
)
def test_candidates_are_not_needed_and_unreadable_ones_refused(init: str, is_readable: bool) -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    meeting.core.commands.clear()
    request = TrickleRequest(candidateInit=init)
    ann.request(trickle=request)
    assert meeting.core.commands == []
    if not is_readable:
        answer = ann.last("request_response")
        assert answer.reason == RequestResponse.UNCLASSIFIED_ERROR
        assert answer.HasField("trickle") == (len(init) < 64_000)
    assert ann.take_kinds() == ([] if is_readable else ["request_response"])


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("mute", {"sid": "TR_unknown", "muted": True}),
        ("update_audio_track", {"track_sid": "TR_unknown"}),
        ("update_video_track", {"track_sid": "TR_unknown", "width": 64}),
    ],
)
def test_a_change_of_an_unknown_track_is_answered(message: str, fields: dict[str, Any]) -> None:
    ann = Meeting().join("ann")
    ann.request(**{message: fields})
    answer = ann.last("request_response")
    assert answer.reason == RequestResponse.NOT_FOUND
    assert answer.WhichOneof("request") == message
    assert getattr(answer, message) == getattr(SignalRequest(**{message: fields}), message)


def test_no_data_blob_is_stored_and_none_is_there() -> None:
    ann = Meeting().join("ann")
    ann.request(store_data_blob_request={"request_id": 4, "blob": {"key": {"generic": "k"}, "contents": b"x"}})
    answer = ann.last("request_response")
    assert (answer.request_id, answer.reason) == (4, RequestResponse.NOT_ALLOWED)
    ann.request(get_data_blob_request={"request_id": 5, "participant_identity": "bob", "key": {"generic": "k"}})
    answer = ann.last("request_response")
    assert (answer.request_id, answer.reason) == (5, RequestResponse.NOT_FOUND)
    ann.request(get_data_blob_request={"request_id": 6})
    answer = ann.last("request_response")
    assert (answer.request_id, answer.reason) == (6, RequestResponse.INVALID_REQUEST)
