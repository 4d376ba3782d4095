"""What Prometheus is told of a media server: LiveKit's names, counted from its rooms."""

from __future__ import annotations

from livekit.protocol.models import TrackType
from prometheus_client import CollectorRegistry

from support.meeting import Meeting
from tertulia_sfu.metrics import MediaCollector


def registry(meeting: Meeting, **stats: int) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(MediaCollector(lambda: meeting.rooms, lambda: stats))
    return found


def test_rooms_participants_and_tracks_are_counted() -> None:
    meeting = Meeting()
    empty = registry(meeting)
    assert empty.get_sample_value("livekit_room_total") == 0
    assert empty.get_sample_value("livekit_track_published_total", {"kind": "VIDEO"}) == 0
    ann, _ben, _eve = meeting.join("ann"), meeting.join("ben"), meeting.join("eve", room="another")
    ann.publish(kind=TrackType.VIDEO)
    full = registry(meeting)
    assert full.get_sample_value("livekit_room_total") == 2
    assert full.get_sample_value("livekit_participant_total") == 3
    assert full.get_sample_value("livekit_track_published_total", {"kind": "VIDEO"}) == 1
    assert full.get_sample_value("livekit_track_published_total", {"kind": "AUDIO"}) == 0
    assert full.get_sample_value("livekit_track_subscribed_total", {"kind": "VIDEO"}) == 1


def test_the_cores_counters_are_told() -> None:
    found = registry(Meeting(), media_packets_in=7, media_packets_forwarded=21, bytes_out=9000)
    labels = {"direction": "outgoing", "transmission": "initial"}
    assert found.get_sample_value("livekit_packet_total", labels) == 21
    assert found.get_sample_value("tertulia_media_bytes_out_total") == 9000
