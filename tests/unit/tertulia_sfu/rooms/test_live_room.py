"""Joining, resuming, leaving, changes, and how long a room lives."""

from __future__ import annotations

import pytest
from livekit.protocol.models import (
    DisconnectReason,
    ParticipantInfo,
    ParticipantPermission,
    TrackSource,
    TrackType,
)
from livekit.protocol.room import CreateRoomRequest, RoomConfiguration
from livekit.protocol.rtc import (
    LeaveRequest,
)

from support.meeting import Meeting
from tertulia_sfu.errors import RoomFull
from tertulia_sfu.ids import RoomName

CAMERA, MICROPHONE = TrackSource.CAMERA, TrackSource.MICROPHONE
AUDIO, VIDEO = TrackType.AUDIO, TrackType.VIDEO


def test_the_first_messages_of_a_session() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", connect=False)
    join = ann.messages[0].join
    assert join.participant.state == ParticipantInfo.JOINING
    assert join.participant.permission.can_publish
    assert (join.ping_interval, join.ping_timeout, join.subscriber_primary) == (5, 15, False)
    assert join.server_info.protocol == 17
    offered = ["video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red"]
    assert [codec.mime for codec in join.enabled_publish_codecs] == offered
    assert join.room.enabled_codecs == join.enabled_publish_codecs
    assert len(join.sif_trailer) == 16
    assert ann.take_kinds() == ["join", "refresh_token", "room_update"]


def test_others_see_every_step_with_a_higher_version() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob", connect=False)
    bob.connect()
    bob.publish()
    bob.request(leave=LeaveRequest(reason=DisconnectReason.CLIENT_INITIATED))
    seen = [
        one
        for message in ann.messages
        if message.HasField("update")
        for one in message.update.participants
        if one.sid == bob.sid
    ]
    assert [one.state for one in seen] == [
        ParticipantInfo.JOINED,
        ParticipantInfo.ACTIVE,
        ParticipantInfo.ACTIVE,
        ParticipantInfo.DISCONNECTED,
    ]
    versions = [one.version for one in seen]
    assert versions == sorted(set(versions))
    assert seen[-1].disconnect_reason == DisconnectReason.CLIENT_INITIATED
    assert bob.sid in meeting.signals.closed
    assert not bob.received("leave"), "who asked to leave needs no answer"


def test_of_two_with_one_identity_the_newer_stays() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    older = meeting.join("bob")
    ann.take_kinds()
    newer = meeting.join("bob")
    left = older.last("leave")
    assert (left.reason, left.action) == (DisconnectReason.DUPLICATE_IDENTITY, LeaveRequest.DISCONNECT)
    updates = [message.update.participants[0] for message in ann.messages if message.HasField("update")]
    assert (updates[0].sid, updates[0].state) == (older.sid, ParticipantInfo.DISCONNECTED)
    assert updates[1].sid == newer.sid
    assert meeting.webhook_names().count("participant_left") == 1


def test_a_full_room_counts_neither_hidden_nor_recorders_nor_replacements() -> None:
    meeting = Meeting()
    limit = {"room_config": RoomConfiguration(max_participants=2)}
    meeting.join("ghost", claims=limit, hidden=True)
    meeting.join("recorder", recorder=True)
    meeting.join("agent", claims={"kind": ParticipantInfo.AGENT})
    meeting.join("ann")
    bob = meeting.join("bob")
    with pytest.raises(RoomFull):
        meeting.join("eve")
    meeting.join("bob")
    assert bob.received("leave")
    room = meeting.rooms.find("room")
    assert room is not None
    assert room.roster.room_info().num_participants == 2


def test_a_participant_that_becomes_hidden_has_left_for_the_others() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.room.change_participant(
        bob.participant, now=meeting.now, permission=ParticipantPermission(can_subscribe=True, hidden=True)
    )
    assert ann.last("update").participants[0].state == ParticipantInfo.DISCONNECTED


def test_a_room_lives_a_while_after_the_last_one_left() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    recorder = meeting.join("recorder", recorder=True, hidden=True)
    ann.request(leave=LeaveRequest())
    meeting.advance(19)
    assert meeting.rooms.find("room") is not None
    meeting.advance(2)
    assert meeting.rooms.find("room") is None
    assert recorder.last("leave").reason == DisconnectReason.ROOM_CLOSED
    assert meeting.webhook_names()[-1] == "room_finished"


def test_a_participant_that_comes_back_in_time_finds_the_same_room() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    sid = ann.room.roster.sid
    ann.request(leave=LeaveRequest())
    meeting.advance(19)
    assert meeting.join("ann").room.roster.sid == sid
    meeting.advance(100)
    assert meeting.rooms.find("room") is not None


def test_a_room_without_participants_ends_too() -> None:
    meeting = Meeting()
    meeting.rooms.create(CreateRoomRequest(empty_timeout=60), name=RoomName("r"), now=meeting.now)
    meeting.advance(59)
    assert meeting.rooms.find("r") is not None
    meeting.advance(2)
    assert meeting.rooms.find("r") is None
    assert meeting.webhook_names() == []


def test_a_resume_brings_the_client_up_to_date() -> None:
    meeting = Meeting()
    ann, bob, eve = (meeting.join(name) for name in ("ann", "bob", "eve"))
    version = ann.participant.version
    ann.lose_signal()
    meeting.advance(1)
    bob.request(leave=LeaveRequest())
    fay = meeting.join("fay")
    ann.messages.clear()
    ann.resume()
    assert ann.messages[0].WhichOneof("message") == "reconnect"
    sent = {
        one.sid: one for message in ann.messages if message.HasField("update") for one in message.update.participants
    }
    assert sent[bob.sid].state == ParticipantInfo.DISCONNECTED
    assert {ann.sid, eve.sid, fay.sid} <= sent.keys()
    assert sent[ann.sid].version == version
    assert {"room_update", "refresh_token"} <= set(ann.take_kinds())


def test_permissions_taken_away_end_what_they_allowed() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    camera, microphone = ann.publish(), ann.publish(MICROPHONE, kind=AUDIO)
    only_sound = ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_sources=[MICROPHONE])
    ann.room.change_participant(ann.participant, now=meeting.now, permission=only_sound)
    assert meeting.core.named("withdraw_track") == [(ann.sid, {"track": camera})]
    assert ann.last("track_unpublished").track_sid == camera
    assert [track.sid for track in bob.last("update").participants[0].tracks] == [microphone]
    assert ann.last("update").participants[0].permission == only_sound
    claims = meeting.tokens.verify(ann.last("refresh_token"))
    assert claims.video.can_publish_sources == (MICROPHONE,)
    assert not claims.video.can_publish_data


def test_tokens_are_refreshed_every_five_minutes() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    meeting.advance(601)
    assert ann.take_kinds().count("refresh_token") == 2
    ann.request(leave=LeaveRequest())
    meeting.advance(601)
    assert "refresh_token" not in ann.take_kinds()
