"""Lost connections: what is waited for, and what ends a session."""

from __future__ import annotations

from livekit.protocol.models import (
    ClientInfo,
    ConnectionQuality,
    DisconnectReason,
)
from livekit.protocol.rtc import (
    JoinRequest,
    LeaveRequest,
)

from support.meeting import Meeting


def test_media_that_never_comes_up_ends_the_session() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", connect=False)
    meeting.advance(59)
    assert not ann.received("leave")
    meeting.advance(2)
    assert ann.last("leave").reason == DisconnectReason.JOIN_FAILURE
    assert "participant_connection_aborted" in meeting.webhook_names()
    assert "participant_joined" not in meeting.webhook_names()


def test_signalling_lost_before_media_is_a_leave() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob", connect=False)
    bob.lose_signal()
    assert ann.last("update").participants[0].disconnect_reason == DisconnectReason.SIGNAL_CLOSE


def test_a_session_outlives_its_signal_connection_while_media_flows() -> None:
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


def test_a_client_without_signalling_has_fifteen_seconds_since_its_media_was_heard() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.lose_signal()
    meeting.advance(600)
    meeting.core_event("PeerDisconnected", bob.sid)  # the core heard it 10 s ago for the last time
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


def test_of_two_connections_the_primary_one_makes_active_and_either_is_missed() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", connect=False, is_dual=True)
    sending, receiving = ann.sid, ann.participant.subscriber_peer
    meeting.core_event("PeerConnected", sending)
    assert not ann.participant.was_active
    meeting.core_event("PeerConnected", receiving)
    assert ann.participant.was_active
    meeting.core_event("PeerDisconnected", sending)
    meeting.advance(1.1)
    assert (ann.last("leave").reason, ann.last("leave").action) == (
        DisconnectReason.CONNECTION_TIMEOUT,
        LeaveRequest.RESUME,
    )
    meeting.signals.closed.clear()
    ann.resume()
    meeting.core_event("PeerDisconnected", receiving)
    meeting.core_event("PeerConnected", sending)
    assert not ann.participant.connected, "the other one is still missing"
    meeting.core_event("PeerConnected", receiving)
    meeting.advance(60)
    assert meeting.rooms.session(ann.sid) is ann.session


def test_a_client_that_does_not_know_actions_is_only_closed() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", request=JoinRequest(client_info=ClientInfo(protocol=12)))
    meeting.core_event("PeerDisconnected", ann.sid)
    meeting.advance(1.1)
    assert not ann.received("leave")
    assert meeting.signals.closed == [ann.sid]


def test_the_worse_of_two_connections_is_shown() -> None:
    meeting = Meeting()
    ann = meeting.join("ann", is_dual=True)
    meeting.core_event("LinkQuality", ann.participant.subscriber_peer, loss=0.3, rtt_ms=10)
    meeting.core_event("LinkQuality", ann.sid, loss=0.0, rtt_ms=10)
    assert ann.last("connection_quality").updates[0].quality == ConnectionQuality.POOR
