"""Publications: requested, announced, muted, changed and ended."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol.models import (
    TrackSource,
    TrackType,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    MuteTrackRequest,
    RequestResponse,
    UpdateLocalAudioTrack,
    UpdateLocalVideoTrack,
)

from support.meeting import Meeting

CAMERA, MICROPHONE = TrackSource.CAMERA, TrackSource.MICROPHONE
AUDIO, VIDEO = TrackType.AUDIO, TrackType.VIDEO


def test_a_track_is_answered_at_once_and_announced_with_its_first_packet() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.take_kinds()
    ann.request(add_track=AddTrackRequest(cid="c1", type=VIDEO, source=CAMERA, name="cam", width=640, height=360))
    published = ann.last("track_published")
    assert published.cid == "c1"
    sid = published.track.sid
    assert sid.startswith("TR_")
    assert bob.take_kinds() == []
    (peer, expected) = meeting.core.named("expect_track")[0]
    assert peer == ann.sid
    assert expected == {
        "track": sid,
        "kind": "video",
        "cids": ["c1"],
        "layers": [("high", 640, 360)],
        "codec": None,
        "is_screen": False,
    }
    meeting.core_event("TrackStarted", ann.sid, track=sid, cid="c1", mid="7", mime_type="video/VP8", simulcast=False)
    info = bob.last("update").participants[0]
    assert info.is_publisher
    assert (info.tracks[0].sid, info.tracks[0].mid, info.tracks[0].mime_type) == (sid, "7", "video/VP8")
    assert meeting.core.named("subscribe") == [(bob.sid, {"track": sid})]
    assert meeting.webhook_names()[-1] == "track_published"
    assert not ann.received("update") or sid not in {track.sid for track in ann.last("update").participants[0].tracks}


def test_a_track_that_ends_is_removed_for_the_others() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish()
    meeting.core_event("TrackEnded", ann.sid, track=sid)
    assert not bob.last("update").participants[0].tracks
    assert meeting.webhook_names()[-1] == "track_unpublished"
    assert bob.participant.subscriptions == set()


@pytest.mark.parametrize(
    ("request_fields", "grants", "reason"),
    [
        ({"type": VIDEO, "source": CAMERA}, {"can_publish": False}, RequestResponse.NOT_ALLOWED),
        ({"type": VIDEO, "source": CAMERA}, {"can_publish_sources": (MICROPHONE,)}, RequestResponse.NOT_ALLOWED),
        ({"type": VIDEO}, {"can_publish_sources": (CAMERA,)}, RequestResponse.NOT_ALLOWED),
        ({"type": TrackType.DATA}, {}, RequestResponse.UNSUPPORTED_TYPE),
        ({"type": VIDEO, "sid": "TR_unknown"}, {}, RequestResponse.NOT_FOUND),
        ({"type": VIDEO, "cid": ""}, {}, RequestResponse.LIMIT_EXCEEDED),
        ({"type": VIDEO, "name": "n" * 257}, {}, RequestResponse.LIMIT_EXCEEDED),
    ],
)
def test_tracks_that_are_refused(request_fields: dict[str, Any], grants: dict[str, Any], reason: int) -> None:
    meeting = Meeting()
    ann = meeting.join("ann", **grants)
    request = AddTrackRequest(**({"cid": "c"} | request_fields))
    ann.request(add_track=request)
    response = ann.last("request_response")
    assert response.reason == reason
    assert response.add_track == request
    assert meeting.core.named("expect_track") == []
    assert not ann.received("track_published")


def test_no_more_than_twenty_tracks_wait_for_their_media() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for number in range(25):
        ann.request(add_track=AddTrackRequest(cid=f"c{number}", type=AUDIO, source=MICROPHONE))
    assert len(meeting.core.named("expect_track")) == 20
    assert ann.last("request_response").reason == RequestResponse.LIMIT_EXCEEDED


def test_a_second_request_for_the_same_track_waits_for_the_first() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for _ in range(2):
        ann.request(add_track=AddTrackRequest(cid="c", type=AUDIO, source=MICROPHONE))
    assert ann.last("request_response").reason == RequestResponse.QUEUED
    first = ann.last("track_published").track.sid
    meeting.core_event("TrackStarted", ann.sid, track=first, cid="c", mid="7", mime_type="audio/opus", simulcast=False)
    assert ann.last("track_published").track.sid != first


def test_mute_is_sent_to_all_and_to_the_core() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish(MICROPHONE, kind=AUDIO)
    for muted in (True, False):
        ann.request(mute=MuteTrackRequest(sid=sid, muted=muted))
        for guest in (ann, bob):
            assert guest.last("update").participants[0].tracks[0].muted is muted
        assert meeting.core.named("set_track_muted")[-1] == (ann.sid, {"track": sid, "muted": muted})
    bob.request(mute=MuteTrackRequest(sid=sid, muted=True))
    assert bob.last("request_response").reason == RequestResponse.NOT_FOUND, "no participant mutes another's track"


def test_a_moderators_mute_reaches_the_publisher_before_the_update() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish(MICROPHONE, kind=AUDIO)
    ann.take_kinds()
    publication = ann.participant.announced[0]
    ann.room.publications.mute_by_moderator(ann.participant, publication, meeting.now, muted=True)
    assert ann.take_kinds() == ["mute", "update"]
    assert bob.last("update").participants[0].tracks[0].muted
    assert publication.sid == sid


def test_changes_of_tracks_are_sent() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    video, audio = ann.publish(), ann.publish(MICROPHONE, kind=AUDIO)
    ann.request(update_video_track=UpdateLocalVideoTrack(track_sid=video, width=360, height=640))
    ann.request(update_audio_track=UpdateLocalAudioTrack(track_sid=audio, features=[0, 3, 3]))
    tracks = {track.sid: track for track in bob.last("update").participants[0].tracks}
    assert (tracks[video].width, tracks[video].height) == (360, 640)
    assert list(tracks[audio].audio_features) == [0, 3]


def test_sound_without_redundancy_is_asked_for_by_name() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for disable_red in (False, True):
        cid = f"mic-{disable_red}"
        ann.request(add_track=AddTrackRequest(cid=cid, type=AUDIO, source=MICROPHONE, disable_red=disable_red))
    assert [expected["codec"] for (_, expected) in meeting.core.named("expect_track")] == [None, "opus"]


def test_sound_is_encoded_as_its_publisher_wants() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for wanted in ({}, {"disable_dtx": True}, {"stereo": True}, {"audio_features": [0, 1]}):
        ann.request(add_track=AddTrackRequest(cid=f"mic-{wanted}", type=AUDIO, source=MICROPHONE, **wanted))
    expected = [(each["dtx"], each["stereo"]) for (_, each) in meeting.core.named("expect_track")]
    assert expected == [(True, False), (False, False), (True, True), (False, True)]


def test_the_core_is_told_which_video_is_a_screen() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for source in (CAMERA, TrackSource.SCREEN_SHARE):
        ann.request(add_track=AddTrackRequest(cid=f"video-{source}", type=VIDEO, source=source))
    assert [expected["is_screen"] for (_, expected) in meeting.core.named("expect_track")] == [False, True]
