"""What each signal request does, and what it may not do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.protocol.models import ParticipantPermission, TrackSource, TrackType, VideoQuality
from livekit.protocol.rtc import (
    AddTrackRequest,
    LeaveRequest,
    MuteTrackRequest,
    RequestResponse,
    SignalRequest,
    SimulateScenario,
    SubscriptionPermission,
    TrackPermission,
    UpdateLocalAudioTrack,
    UpdateLocalVideoTrack,
    UpdateParticipantMetadata,
    UpdateSubscription,
    UpdateTrackSettings,
)

from support.meeting import Meeting
from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.signalling.codec import parse_signal_request

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
    assert expected == {"track": sid, "kind": "video", "cids": ["c1"], "layers": [("high", 640, 360)]}
    meeting.core_event("TrackStarted", ann.sid, track=sid, cid="c1", mid="7", mime_type="video/VP8", simulcast=False)
    info = bob.last("update").participants[0]
    assert info.is_publisher
    assert (info.tracks[0].sid, info.tracks[0].mid, info.tracks[0].mime_type) == (sid, "7", "video/VP8")
    assert meeting.core.named("subscribe") == [(bob.sid, {"track": sid})]
    assert meeting.webhook_names()[-1] == "track_published"
    assert not ann.received("update") or sid not in {track.sid for track in ann.last("update").participants[0].tracks}


def test_what_others_are_told_of_a_track_ends_with_it() -> None:
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
        ({"type": VIDEO, "cid": ""}, {}, RequestResponse.LIMIT_EXCEEDED),
        ({"type": VIDEO, "name": "n" * 257}, {}, RequestResponse.LIMIT_EXCEEDED),
    ],
)
def test_tracks_that_may_not_be(request_fields: dict[str, Any], grants: dict[str, Any], reason: int) -> None:
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


def test_mute_is_told_to_all_and_to_the_core() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish(MICROPHONE, kind=AUDIO)
    for muted in (True, False):
        ann.request(mute=MuteTrackRequest(sid=sid, muted=muted))
        for guest in (ann, bob):
            assert guest.last("update").participants[0].tracks[0].muted is muted
        assert meeting.core.named("set_track_muted")[-1] == (ann.sid, {"track": sid, "muted": muted})
    bob.request(mute=MuteTrackRequest(sid=sid, muted=True))
    assert bob.last("request_response").reason == RequestResponse.NOT_FOUND, "nobody mutes another's track"


def test_a_moderators_mute_reaches_the_publisher_before_the_update() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish(MICROPHONE, kind=AUDIO)
    ann.take_kinds()
    publication = ann.participant.announced[0]
    ann.room.publications.mute_by_moderator(ann.participant, publication, muted=True)
    assert ann.take_kinds() == ["mute", "update"]
    assert bob.last("update").participants[0].tracks[0].muted
    assert publication.sid == sid


def test_changes_of_tracks_are_told() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    video, audio = ann.publish(), ann.publish(MICROPHONE, kind=AUDIO)
    ann.request(update_video_track=UpdateLocalVideoTrack(track_sid=video, width=360, height=640))
    ann.request(update_audio_track=UpdateLocalAudioTrack(track_sid=audio, features=[0, 3, 3]))
    tracks = {track.sid: track for track in bob.last("update").participants[0].tracks}
    assert (tracks[video].width, tracks[video].height) == (360, 640)
    assert list(tracks[audio].audio_features) == [0, 3]


def test_an_explicit_wish_beats_auto_subscribe() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish()
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=False))
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=False))
    assert meeting.core.named("unsubscribe") == [(bob.sid, {"track": sid})]
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=True))
    assert len(meeting.core.named("subscribe")) == 2


def test_a_wish_may_come_before_the_track() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob", auto_subscribe=False)
    ann.request(add_track=AddTrackRequest(cid="c", type=AUDIO, source=MICROPHONE))
    sid = ann.last("track_published").track.sid
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=True))
    assert meeting.core.named("subscribe") == []
    meeting.core_event("TrackStarted", ann.sid, track=sid, cid="c", mid="7", mime_type="audio/opus", simulcast=False)
    assert meeting.core.named("subscribe") == [(bob.sid, {"track": sid})]


def test_who_may_not_subscribe_gets_nothing() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    sid = ann.publish()
    bob = meeting.join("bob", can_subscribe=False)
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=True))
    assert meeting.core.named("subscribe") == []
    bob.room.change_participant(bob.participant, now=meeting.now, permission=ParticipantPermission(can_subscribe=True))
    assert meeting.core.named("subscribe") == [(bob.sid, {"track": sid})]


def test_layer_settings_are_calmed_but_resuming_is_immediate() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish()
    meeting.core.commands.clear()
    for height in (180, 360, 720):
        bob.request(track_setting=UpdateTrackSettings(track_sids=[sid], width=height * 2, height=height))
    meeting.advance(0.2)
    heights = [arguments["height"] for _peer, arguments in meeting.core.named("configure_subscription")]
    assert heights == [180, 720]
    bob.request(track_setting=UpdateTrackSettings(track_sids=[sid], disabled=True))
    meeting.advance(0.2)
    bob.request(track_setting=UpdateTrackSettings(track_sids=[sid], quality=VideoQuality.MEDIUM))
    last = meeting.core.named("configure_subscription")[-1][1]
    assert (last["enabled"], last["quality"], last["height"]) == (True, "medium", None)


def test_settings_may_come_before_the_subscription() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob", auto_subscribe=False)
    sid = ann.publish()
    bob.request(track_setting=UpdateTrackSettings(track_sids=[sid], quality=VideoQuality.LOW))
    assert meeting.core.named("configure_subscription") == []
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=True))
    names = [name for name, peer, _arguments in meeting.core.commands if peer == bob.sid]
    assert names[-2:] == ["configure_subscription", "subscribe"]


def test_a_publisher_hears_of_its_first_subscriber_once() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    ghost = meeting.join("ghost", hidden=True)
    sid = ann.publish()
    meeting.core_event("SubscriptionStarted", ghost.sid, track=sid)
    assert not ann.received("track_subscribed")
    for guest in (bob, eve):
        meeting.core_event("SubscriptionStarted", guest.sid, track=sid)
    assert ann.take_kinds().count("track_subscribed") == 1


def test_a_publisher_says_who_may_subscribe() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    sid = ann.publish()
    only = [
        TrackPermission(participant_identity="bob", all_tracks=True),
        TrackPermission(participant_sid="PA_x", track_sids=[sid]),
    ]
    ann.request(subscription_permission=SubscriptionPermission(track_permissions=only))
    assert meeting.core.named("unsubscribe") == [(eve.sid, {"track": sid})]
    told = eve.last("subscription_permission_update")
    assert (told.participant_sid, told.track_sid, told.allowed) == (ann.sid, sid, False)
    assert not bob.received("subscription_permission_update")
    second = ann.publish(MICROPHONE, kind=AUDIO)
    assert (eve.sid, {"track": second}) not in meeting.core.named("subscribe")
    assert eve.last("subscription_permission_update").track_sid == second
    late = meeting.join("late", connect=False)
    assert late.take_kinds().count("subscription_permission_update") == 2
    ann.request(subscription_permission=SubscriptionPermission(all_participants=True))
    assert eve.last("subscription_permission_update").allowed
    assert (eve.sid, {"track": second}) in meeting.core.named("subscribe")


def test_the_wanted_quality_is_told_to_the_publisher() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    sid = ann.publish()
    for quality, enabled in (("medium", [True, True, False]), (None, [False] * 3), ("high", [True] * 3)):
        meeting.core_event("QualityWanted", ann.sid, track=sid, quality=quality)
        update = ann.last("subscribed_quality_update")
        assert update.subscribed_codecs[0].codec == "vp8"
        assert [one.enabled for one in update.subscribed_codecs[0].qualities] == enabled
        assert [one.enabled for one in update.subscribed_qualities] == enabled


def test_what_the_core_needs_of_a_client_is_asked() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    bob = meeting.join("bob")
    sid = ann.publish()
    meeting.core_event("SectionsNeeded", bob.sid, audio=1, video=2)
    need = bob.last("media_sections_requirement")
    assert (need.num_audios, need.num_videos) == (1, 2)
    meeting.core_event("SubscriptionFailed", bob.sid, track=sid, reason="codec_unsupported")
    assert bob.last("subscription_response").err == 1
    meeting.core_event("StreamPaused", bob.sid, track=sid, paused=True)
    state = bob.last("stream_state_update").stream_states[0]
    assert (state.participant_sid, state.track_sid, state.state) == (ann.sid, sid, 1)


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
def test_a_change_of_ones_own_data_is_always_answered(
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


def test_pings_are_answered_in_both_forms() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.request(ping=5)
    ann.request(ping_req={"timestamp": 7, "rtt": 2})
    assert ann.last("pong") > 1_700_000_000_000
    assert ann.last("pong_resp").last_ping_timestamp == 7


def test_simulated_faults_touch_only_their_caller() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    bob.take_kinds()
    ann.request(simulate=SimulateScenario(speaker_update=3))
    assert ann.last("speakers_changed").speakers[0].active
    meeting.advance(3)
    assert not ann.last("speakers_changed").speakers[0].active
    assert not bob.received("speakers_changed")
    ann.request(simulate=SimulateScenario(disconnect_signal_on_resume=True))
    assert ann.participant.take_resume_fault(meeting.now) is not None
    assert ann.participant.take_resume_fault(meeting.now) is None
    ann.request(simulate=SimulateScenario(leave_request_full_reconnect=True))
    assert ann.last("leave").action == LeaveRequest.RECONNECT
    assert not bob.received("leave")


FIELDS = [field.name for field in SignalRequest.DESCRIPTOR.fields]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=60)), max_size=8))
def test_no_request_however_strange_is_a_fault(requests: list[tuple[str, bytes]]) -> None:
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
