"""What is kept of the participants' connections."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol.rtc import LeaveRequest

from support.meeting import Meeting
from tertulia_sfu.rooms.quality import MAX_DEPARTED, NetworkPath, ParticipantQuality

NOTHING = {
    "remote": "",
    "protocol": "",
    "rtt_ms": None,
    "received_loss": None,
    "received_jitter_ms": None,
    "sent_loss": None,
    "sent_jitter_ms": None,
    "keyframe_requests": 0,
    "estimate_bps": None,
    "published": [],
    "subscribed": [],
}


def qualities(meeting: Meeting) -> list[ParticipantQuality]:
    room = meeting.rooms.find("room")
    assert room is not None
    return list(room.quality)


def report(meeting: Meeting, peer: str, **fields: Any) -> None:
    meeting.core_event("PeerReport", peer, **(NOTHING | fields))


def test_the_newest_report_counts_and_what_it_does_not_tell_is_unknown() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    report(meeting, ann.sid, rtt_ms=10, sent_loss=0.5)
    video = ("TR_1", "low", "high")
    report(meeting, ann.sid, rtt_ms=30, remote="203.0.113.9:5000", protocol="udp", subscribed=[video])
    (found,) = qualities(meeting)
    assert (found.identity, found.rtt_ms, found.loss_down) == ("ann", 30, None)
    assert found.path == NetworkPath("IPv4", "udp", "203.0.x.x")
    assert (found.subscribed, found.is_connected) == ([video], True)


def test_how_long_joining_took_is_kept_after_the_participant_left() -> None:
    meeting = Meeting()
    ann, _ben = meeting.join("ann", connect=False), meeting.join("ben", connect=False)
    meeting.now += 0.5
    meeting.core_event("PeerConnected", ann.sid)
    meeting.now += 60
    meeting.core_event("PeerConnected", ann.sid)
    ann.request(leave=LeaveRequest())
    (found,) = qualities(meeting)
    assert found.join_s == pytest.approx(0.5)
    assert not found.is_connected


def test_hidden_ones_are_left_out() -> None:
    meeting = Meeting()
    meeting.join("ann")
    recorder = meeting.join("recorder", hidden=True)
    report(meeting, recorder.sid)
    assert [each.identity for each in qualities(meeting)] == ["ann"]


def test_of_those_who_left_the_last_are_kept() -> None:
    meeting = Meeting()
    meeting.join("host")
    for at in range(MAX_DEPARTED + 5):
        guest = meeting.join(f"guest {at}")
        report(meeting, guest.sid)
        guest.request(leave=LeaveRequest())
    names = [each.identity for each in qualities(meeting)]
    assert len(names) <= MAX_DEPARTED + 2
    assert names[-1] == f"guest {MAX_DEPARTED + 4}"
    assert "guest 0" not in names


@pytest.mark.parametrize(
    ("remote", "family", "address"),
    [
        ("192.0.2.7:1", "IPv4", "192.0.x.x"),
        ("[2001:db8:1::7]:65535", "IPv6", "2001:0db8:x"),
        ("[::ffff:192.0.2.7]:9", "IPv4", "192.0.x.x"),
    ],
)
def test_an_address_names_a_network_only(remote: str, family: str, address: str) -> None:
    assert NetworkPath.of(remote, "tcp") == NetworkPath(family, "tcp", address)
