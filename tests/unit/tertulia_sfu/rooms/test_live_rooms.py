"""Look-up of rooms and sessions, and the dispatch of the media core's events."""

from __future__ import annotations

import pytest
from livekit.protocol.models import (
    DisconnectReason,
)
from livekit.protocol.room import RoomConfiguration
from livekit.protocol.rtc import (
    LeaveRequest,
)

from support.meeting import Meeting
from tertulia_sfu.errors import EntityNotFound, InvalidRequest, ServiceUnavailable
from tertulia_sfu.ids import Identity, RoomName


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


@pytest.mark.parametrize("failure", ["NegotiationFailed", "PeerFailed"])
def test_a_failed_peer_reconnects_fully_and_no_other_is_affected(failure: str) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    meeting.core_event(failure, bob.sid, offer_id=1, reason="broken")
    left = bob.last("leave")
    assert (left.reason, left.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)
    assert not ann.received("leave")
    assert meeting.core.named("remove_peer") == [(bob.sid, {})]


def test_when_the_server_stops_all_are_told() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob", room="another"), meeting.join("eve")
    ann.take_kinds()
    meeting.rooms.close_all(meeting.now)
    for guest in (ann, bob, eve):
        left = guest.last("leave")
        assert (left.reason, left.action) == (DisconnectReason.SERVER_SHUTDOWN, LeaveRequest.RECONNECT)
        assert guest.sid in meeting.signals.closed
    assert ann.take_kinds() == ["leave"], "nobody is told of the others, who come back"
    assert meeting.webhook_names().count("room_finished") == 2


def test_events_of_peers_that_left_and_unknown_events_are_ignored() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    meeting.core_event("PeerFailed", "PA_unknown", reason="gone")
    meeting.core_event("SpeakersChanged", levels=[("PA_unknown", 0.5)])
    meeting.core_event("NewerThanThisServer", ann.sid)
    assert ann.take_kinds() == []


def test_a_missing_room_is_created_only_where_that_is_allowed() -> None:
    meeting = Meeting(auto_create=False)
    with pytest.raises(EntityNotFound, match="requested room does not exist"):
        meeting.join("ann")
    meeting.join("ann", room_create=True)
    meeting.join("bob")


def test_a_name_of_a_room_has_256_characters_at_most() -> None:
    meeting = Meeting()
    meeting.rooms.create(RoomConfiguration(), name=RoomName("n" * 256), now=meeting.now)
    with pytest.raises(InvalidRequest):
        meeting.rooms.create(RoomConfiguration(), name=RoomName("n" * 257), now=meeting.now)
    assert [len(room.roster.name) for room in meeting.rooms] == [256]


def test_a_server_that_drains_takes_no_new_rooms_and_others_may_join_those_that_are_open() -> None:
    meeting = Meeting()
    meeting.join("ann")
    meeting.rooms.is_draining = True
    meeting.join("ben")
    with pytest.raises(ServiceUnavailable, match="no new rooms"):
        meeting.join("eve", room="another", room_create=True)
    with pytest.raises(ServiceUnavailable, match="no new rooms"):
        meeting.rooms.create(RoomConfiguration(), name=RoomName("another"), now=meeting.now)
    assert [room.roster.name for room in meeting.rooms] == ["room"]
