"""Speakers, connection quality, and the state of the room."""

from __future__ import annotations

import pytest
from livekit.protocol.models import (
    ConnectionQuality,
    ParticipantInfo,
)
from livekit.protocol.rtc import (
    LeaveRequest,
)

from support.meeting import Guest, Meeting
from tertulia_sfu.rooms.participant_updates import AT_ONCE_UP_TO, OTHERS_AT_MOST_S


def test_a_recorder_makes_the_room_recorded_at_once() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for who in ({"recorder": True, "hidden": True}, {"claims": {"kind": ParticipantInfo.EGRESS}}):
        recorder = meeting.join("recorder", **who)
        assert ann.last("room_update").room.active_recording
        recorder.request(leave=LeaveRequest())
        assert not ann.last("room_update").room.active_recording


def test_counts_are_sent_at_most_every_five_seconds() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    for name in ("bob", "cid", "dan"):
        meeting.join(name)
    assert not ann.received("room_update")
    meeting.advance(5)
    assert ann.last("room_update").room.num_participants == 4


def test_speakers_are_sent_to_the_room_and_to_no_other() -> None:
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
def test_link_quality_is_sent_to_oneself_and_to_receivers(loss: float, rtt_ms: int, quality: ConnectionQuality) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    eve = meeting.join("eve", auto_subscribe=False)
    ann.publish()
    meeting.core_event("LinkQuality", ann.sid, loss=loss, rtt_ms=rtt_ms)
    assert ann.last("connection_quality").updates[0].quality == quality
    assert bob.last("connection_quality").updates[0].participant_sid == ann.sid
    assert not eve.received("connection_quality")


def test_in_a_large_room_the_quality_of_all_is_one_message_for_each_receiver() -> None:
    meeting = Meeting()
    guests = [meeting.join(f"guest {number}") for number in range(AT_ONCE_UP_TO + 20)]
    ann, ben, cid, *_ = guests
    ann.publish()
    ben.publish()
    meeting.advance(10)
    meeting.core_event("LinkQuality", guests[-1].sid, loss=0.0, rtt_ms=20)
    for guest in guests:
        guest.messages.clear()
    for loss in (0.5, 0.0):
        for guest in guests:
            meeting.core_event("LinkQuality", guest.sid, loss=loss, rtt_ms=20)
    assert not any(guest.received("connection_quality") for guest in guests)
    meeting.advance(OTHERS_AT_MOST_S)
    for guest in guests:
        assert guest.take_kinds().count("connection_quality") == 1
    meeting.core_event("PeerDisconnected", ann.sid)
    meeting.advance(OTHERS_AT_MOST_S)
    assert [one.quality for one in cid.last("connection_quality").updates] == [ConnectionQuality.LOST]


def test_each_receiver_is_told_the_quality_of_itself_and_of_those_whom_it_receives() -> None:
    meeting = Meeting()
    ann, ben, cid = meeting.join("ann"), meeting.join("ben"), meeting.join("cid", auto_subscribe=False)
    for guest in (ann, ben):
        guest.publish()
        guest.publish()
    for guest in (ann, ben, cid):
        meeting.core_event("LinkQuality", guest.sid, loss=0.0, rtt_ms=20)

    def told(guest: Guest) -> set[str]:
        found = [each.connection_quality.updates for each in guest.messages]
        return {one.participant_sid for updates in found for one in updates}

    assert (told(ann), told(ben), told(cid)) == ({ann.sid, ben.sid}, {ann.sid, ben.sid}, {cid.sid})
