"""What the publisher of a video is asked to send."""

from __future__ import annotations

from support.meeting import Meeting


def test_the_wanted_quality_is_sent_to_the_publisher() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    sid = ann.publish()
    for quality, enabled in (("medium", [True, True, False]), (None, [False] * 3), ("high", [True] * 3)):
        meeting.core_event("QualityWanted", ann.sid, track=sid, quality=quality)
        update = ann.last("subscribed_quality_update")
        assert update.subscribed_codecs[0].codec == "vp8"
        assert [one.enabled for one in update.subscribed_codecs[0].qualities] == enabled
        assert [one.enabled for one in update.subscribed_qualities] == enabled


def test_a_resumed_publisher_receives_the_wanted_quality_again() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    track = ann.publish()
    meeting.core_event("QualityWanted", ann.sid, track=track, quality="low")
    ann.lose_signal()
    ann.take_kinds()
    ann.resume()
    assert ann.last("subscribed_quality_update").track_sid == track
