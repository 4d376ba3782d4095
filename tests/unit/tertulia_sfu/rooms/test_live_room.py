"""Coming, going, coming back, and how long a room lives."""

from __future__ import annotations

import pytest
from livekit.protocol.models import (
    ConnectionQuality,
    DisconnectReason,
    ParticipantInfo,
    ParticipantPermission,
    TrackSource,
    TrackType,
)
from livekit.protocol.room import CreateRoomRequest, RoomConfiguration
from livekit.protocol.rtc import (
    AddTrackRequest,
    ConnectionSettings,
    JoinRequest,
    LeaveRequest,
    SessionDescription,
    SyncState,
    TrackPublishedResponse,
    UpdateSubscription,
)

from support.meeting import Guest, Meeting
from tertulia_sfu.errors import RoomFull
from tertulia_sfu.ids import Identity, RoomName

AUDIO = TrackType.AUDIO


def resume(guest: Guest) -> None:
    """The client's new line reaches its old session."""
    guest.session.resume(JoinRequest(reconnect=True, participant_sid=guest.sid), guest.meeting.now)


def test_the_first_messages_of_a_session() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", connect=False)
    join = ann.messages[0].join
    assert join.participant.state == ParticipantInfo.JOINING
    assert join.participant.permission.can_publish
    assert (join.ping_interval, join.ping_timeout, join.subscriber_primary) == (5, 15, False)
    assert join.server_info.protocol == 17
    assert [codec.mime for codec in join.enabled_publish_codecs] == ["video/VP8", "video/H264", "audio/opus"]
    assert len(join.sif_trailer) == 16
    assert ann.take_kinds() == ["join", "refresh_token", "room_update"]


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


def test_of_two_with_one_identity_the_newer_wins() -> None:
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


def test_a_full_room_counts_neither_hidden_nor_recorders_nor_who_replaces_itself() -> None:
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


def test_nothing_of_somebody_hidden_leaks() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    ghost = meeting.join("ghost", hidden=True)
    ghost.request(update_metadata={"name": "x", "request_id": 1})
    meeting.core_event("SpeakersChanged", levels=[(ghost.sid, 0.5)])
    meeting.core_event("LinkQuality", ghost.sid, loss=0.5, rtt_ms=900)
    ghost.publish()
    assert meeting.core.named("subscribe") == []
    bob = meeting.join("bob", connect=False)
    assert meeting.core.named("subscribe") == []
    assert [one.identity for one in bob.last("join").other_participants] == ["ann"]
    assert ann.take_kinds() == ["update"], "of bob"
    ghost.request(leave=LeaveRequest())
    assert ann.take_kinds() == []


def test_somebody_who_becomes_hidden_leaves_the_others_sight() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.room.change_participant(
        bob.participant, now=meeting.now, permission=ParticipantPermission(can_subscribe=True, hidden=True)
    )
    assert ann.last("update").participants[0].state == ParticipantInfo.DISCONNECTED


def test_a_recorder_makes_the_room_recorded_at_once() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for who in ({"recorder": True, "hidden": True}, {"claims": {"kind": ParticipantInfo.EGRESS}}):
        recorder = meeting.join("recorder", **who)
        assert ann.last("room_update").room.active_recording
        recorder.request(leave=LeaveRequest())
        assert not ann.last("room_update").room.active_recording


def test_counts_are_told_at_most_every_five_seconds() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    for name in ("bob", "cid", "dan"):
        meeting.join(name)
    assert not ann.received("room_update")
    meeting.advance(5)
    assert ann.last("room_update").room.num_participants == 4


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


def test_who_comes_back_in_time_finds_the_same_room() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    sid = ann.room.roster.sid
    ann.request(leave=LeaveRequest())
    meeting.advance(19)
    assert meeting.join("ann").room.roster.sid == sid
    meeting.advance(100)
    assert meeting.rooms.find("room") is not None


def test_a_room_that_nobody_enters_ends_too() -> None:
    meeting = Meeting()
    meeting.rooms.create(CreateRoomRequest(empty_timeout=60), name=RoomName("r"), now=meeting.now)
    meeting.advance(59)
    assert meeting.rooms.find("r") is not None
    meeting.advance(2)
    assert meeting.rooms.find("r") is None
    assert meeting.webhook_names() == []


def test_media_that_never_comes_up_ends_the_session() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", connect=False)
    meeting.advance(59)
    assert not ann.received("leave")
    meeting.advance(2)
    assert ann.last("leave").reason == DisconnectReason.JOIN_FAILURE
    assert "participant_connection_aborted" in meeting.webhook_names()
    assert "participant_joined" not in meeting.webhook_names()


def test_a_line_lost_before_media_is_a_leave() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob", connect=False)
    bob.lose_signal()
    assert ann.last("update").participants[0].disconnect_reason == DisconnectReason.SIGNAL_CLOSE


def test_a_session_outlives_its_line_while_media_flows() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.lose_signal()
    ann.take_kinds()
    meeting.advance(600)
    assert not ann.received("update")


def test_a_client_that_vanished_has_fifteen_seconds() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.lose_signal()
    meeting.advance(10)
    meeting.core_event("PeerDisconnected", bob.sid)
    ann.take_kinds()
    meeting.advance(4.9)
    assert not ann.received("update")
    meeting.advance(0.2)
    assert ann.last("update").participants[0].disconnect_reason == DisconnectReason.CONNECTION_TIMEOUT


def test_a_client_whose_media_died_is_asked_to_resume() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.publish()
    meeting.core_event("PeerDisconnected", bob.sid)
    assert ann.last("connection_quality").updates[0].quality == ConnectionQuality.LOST
    assert not bob.received("leave"), "its own leave may be on the way"
    meeting.advance(1)
    assert (bob.last("leave").reason, bob.last("leave").action) == (
        DisconnectReason.CONNECTION_TIMEOUT,
        LeaveRequest.RESUME,
    )
    meeting.signals.closed.clear()
    meeting.advance(2)
    bob.resume()
    meeting.core_event("PeerConnected", bob.sid)
    ann.take_kinds()
    meeting.advance(60)
    assert not ann.received("update"), "it is back for good"


def test_a_clean_leave_after_its_media_closed_is_just_a_leave() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    meeting.core_event("PeerDisconnected", bob.sid)
    bob.request(leave=LeaveRequest())
    assert ann.last("update").participants[0].disconnect_reason == DisconnectReason.CLIENT_INITIATED
    meeting.advance(60)
    assert not bob.received("leave")


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
    told = {
        one.sid: one for message in ann.messages if message.HasField("update") for one in message.update.participants
    }
    assert told[bob.sid].state == ParticipantInfo.DISCONNECTED
    assert {ann.sid, eve.sid, fay.sid} <= told.keys()
    assert told[ann.sid].version == version
    assert {"room_update", "refresh_token"} <= set(ann.take_kinds())


def test_a_resumed_publisher_hears_again_which_layers_are_wanted() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    track = ann.publish()
    meeting.core_event("QualityWanted", ann.sid, track=track, quality="low")
    ann.lose_signal()
    ann.take_kinds()
    ann.resume()
    assert ann.last("subscribed_quality_update").track_sid == track


def test_only_the_right_session_is_resumed() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    rooms = meeting.rooms
    assert rooms.resumable("room", Identity("ann"), ann.sid) is ann.session
    assert rooms.resumable("room", Identity("ann"), "") is ann.session
    assert rooms.resumable("room", Identity("ann"), "PA_other") is None
    assert rooms.resumable("room", Identity("bob"), ann.sid) is None
    assert rooms.resumable("elsewhere", Identity("ann"), ann.sid) is None
    ann.request(leave=LeaveRequest())
    assert rooms.resumable("room", Identity("ann"), ann.sid) is None


def test_a_client_that_believes_in_unknown_tracks_starts_over() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    state = SyncState(publish_tracks=[TrackPublishedResponse(cid="c", track={"sid": "TR_unknown"})])
    ann.request(sync_state=state)
    assert ann.last("leave").action == LeaveRequest.RECONNECT


def test_a_client_tells_what_it_wants_after_a_resume() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    track = ann.publish()
    meeting.core.commands.clear()
    off = UpdateSubscription(track_sids=[track], subscribe=False)
    bob.request(sync_state=SyncState(subscription=off))
    assert meeting.core.named("unsubscribe") == [(bob.sid, {"track": track})]


@pytest.mark.parametrize("failure", ["NegotiationFailed", "PeerFailed"])
def test_a_failed_peer_starts_over_and_nobody_else_is_touched(failure: str) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    meeting.core_event(failure, bob.sid, offer_id=1, reason="broken")
    left = bob.last("leave")
    assert (left.reason, left.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)
    assert not ann.received("leave")
    assert meeting.core.named("remove_peer") == [(bob.sid, {})]


def test_tokens_are_refreshed_every_five_minutes() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    meeting.advance(601)
    assert ann.take_kinds().count("refresh_token") == 2
    ann.request(leave=LeaveRequest())
    meeting.advance(601)
    assert "refresh_token" not in ann.take_kinds()


def test_when_the_server_stops_everybody_is_told() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob", room="another")
    meeting.rooms.close_all(meeting.now)
    for guest in (ann, bob):
        assert guest.last("leave").reason == DisconnectReason.SERVER_SHUTDOWN
        assert guest.sid in meeting.signals.closed
    assert meeting.webhook_names().count("room_finished") == 2


def test_speech_is_told_to_all_of_the_room_and_to_nobody_else() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve", room="another")
    meeting.core_event("SpeakersChanged", levels=[(ann.sid, 0.25), (bob.sid, 0.0)])
    for guest in (ann, bob):
        speakers = guest.last("speakers_changed").speakers
        assert [(one.sid, one.level, one.active) for one in speakers] == [
            (ann.sid, 0.25, True),
            (bob.sid, 0.0, False),
        ]
    assert not eve.received("speakers_changed")


@pytest.mark.parametrize(
    ("loss", "rtt_ms", "quality"),
    [
        (0.0, 20, ConnectionQuality.EXCELLENT),
        (0.08, 20, ConnectionQuality.GOOD),
        (0.3, 20, ConnectionQuality.POOR),
        (0.0, 900, ConnectionQuality.POOR),
    ],
)
def test_link_quality_is_told_to_oneself_and_to_receivers(loss: float, rtt_ms: int, quality: ConnectionQuality) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    eve = meeting.join("eve", auto_subscribe=False)
    ann.publish()
    meeting.core_event("LinkQuality", ann.sid, loss=loss, rtt_ms=rtt_ms)
    assert ann.last("connection_quality").updates[0].quality == quality
    assert bob.last("connection_quality").updates[0].participant_sid == ann.sid
    assert not eve.received("connection_quality")
