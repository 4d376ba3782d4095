"""Subscriptions: what is wanted, what is allowed, and the commands to the media core."""

from __future__ import annotations

from livekit.protocol.models import (
    ParticipantPermission,
    TrackSource,
    TrackType,
    VideoQuality,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    LeaveRequest,
    MuteTrackRequest,
    SimulcastCodec,
    SubscriptionPermission,
    TrackPermission,
    UpdateSubscription,
    UpdateTrackSettings,
)

from support.meeting import Guest, Meeting

CAMERA, MICROPHONE = TrackSource.CAMERA, TrackSource.MICROPHONE
AUDIO, VIDEO = TrackType.AUDIO, TrackType.VIDEO


def test_an_explicit_subscription_overrides_auto_subscribe() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish()
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=False))
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=False))
    assert meeting.core.named("unsubscribe") == [(bob.sid, {"track": sid})]
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=True))
    assert len(meeting.core.named("subscribe")) == 2


def test_a_track_may_be_subscribed_before_it_is_announced() -> None:
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


def test_layer_settings_are_debounced_but_enabling_is_immediate() -> None:
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
    assert (last["enabled"], last["quality"], last["height"], last["fps"]) == (True, "medium", None, None)
    bob.request(track_setting=UpdateTrackSettings(track_sids=[sid], fps=15))
    meeting.advance(0.2)
    assert meeting.core.named("configure_subscription")[-1][1]["fps"] == 15


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


def test_a_publisher_is_told_of_its_first_subscriber_once() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    ghost = meeting.join("ghost", hidden=True)
    sid = ann.publish()
    meeting.core_event("SubscriptionStarted", ghost.sid, track=sid)
    assert not ann.received("track_subscribed")
    for guest in (bob, eve):
        meeting.core_event("SubscriptionStarted", guest.sid, track=sid)
    assert ann.take_kinds().count("track_subscribed") == 1


def test_a_publisher_decides_who_may_subscribe() -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    sid = ann.publish()
    only = [
        TrackPermission(participant_identity="bob", all_tracks=True),
        TrackPermission(participant_sid="PA_x", track_sids=[sid]),
    ]
    ann.request(subscription_permission=SubscriptionPermission(track_permissions=only))
    assert meeting.core.named("unsubscribe") == [(eve.sid, {"track": sid})]
    update = eve.last("subscription_permission_update")
    assert (update.participant_sid, update.track_sid, update.allowed) == (ann.sid, sid, False)
    assert not bob.received("subscription_permission_update")
    second = ann.publish(MICROPHONE, kind=AUDIO)
    assert (eve.sid, {"track": second}) not in meeting.core.named("subscribe")
    assert eve.last("subscription_permission_update").track_sid == second
    late = meeting.join("late", connect=False)
    assert late.take_kinds().count("subscription_permission_update") == 2
    ann.request(subscription_permission=SubscriptionPermission(all_participants=True))
    assert eve.last("subscription_permission_update").allowed
    assert (eve.sid, {"track": second}) in meeting.core.named("subscribe")


def test_events_of_the_core_reach_the_subscriber() -> None:
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


def _with_backup(meeting: Meeting) -> tuple[Guest, Guest, str]:
    """Have one participant publish VP9, and another one that cannot decode it."""
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sid = ann.publish(simulcast_codecs=[SimulcastCodec(codec="vp9"), SimulcastCodec(codec="vp8")])
    meeting.core.commands.clear()
    meeting.core_event("SubscriptionFailed", bob.sid, track=sid, reason="codec_unsupported")
    return ann, bob, sid


def test_a_second_codec_is_asked_for_and_sent_to_who_needs_it() -> None:
    meeting = Meeting()
    ann, bob, sid = _with_backup(meeting)
    assert not bob.received("subscription_response")
    asked = ann.last("subscribed_quality_update").subscribed_codecs
    assert asked[1].codec == "vp8"
    assert all(one.enabled for each in asked for one in each.qualities)
    ann.request(
        add_track=AddTrackRequest(sid=sid, cid="again", type=VIDEO, simulcast_codecs=[SimulcastCodec(codec="vp8")])
    )
    assert ann.last("track_published").track.sid == sid
    [(_peer, expected)] = meeting.core.named("expect_track")
    assert (expected["track"], expected["cids"], expected["codec"]) == (f"{sid}/vp8", ["again"], "vp8")
    ann.request(mute=MuteTrackRequest(sid=sid, muted=True))
    assert [each["track"] for _, each in meeting.core.named("set_track_muted")] == [sid, f"{sid}/vp8"]
    started = {"cid": "again", "mid": "9", "mime_type": "video/VP8", "simulcast": True}
    meeting.core_event("TrackStarted", ann.sid, track=f"{sid}/vp8", **started)
    assert meeting.core.named("subscribe") == [(bob.sid, {"track": f"{sid}/vp8"})]
    assert [codec.mime_type for codec in bob.last("update").participants[0].tracks[0].codecs][1:] == ["video/VP8"]
    meeting.core_event("QualityWanted", ann.sid, track=f"{sid}/vp8", quality="low")
    wanted = ann.last("subscribed_quality_update").subscribed_codecs[1]
    assert [one.enabled for one in wanted.qualities] == [True, False, False]
    bob.request(subscription=UpdateSubscription(track_sids=[sid], subscribe=False))
    assert meeting.core.named("unsubscribe") == [(bob.sid, {"track": f"{sid}/vp8"})]
    meeting.core_event("TrackEnded", ann.sid, track=sid)
    assert meeting.core.named("withdraw_track") == [(ann.sid, {"track": f"{sid}/vp8"})]


def _start_backup(meeting: Meeting, ann: Guest, sid: str) -> None:
    codecs = [SimulcastCodec(codec="vp8")]
    ann.request(add_track=AddTrackRequest(sid=sid, cid="again", type=VIDEO, simulcast_codecs=codecs))
    started = {"cid": "again", "mid": "9", "mime_type": "video/VP8", "simulcast": True}
    meeting.core_event("TrackStarted", ann.sid, track=f"{sid}/vp8", **started)


def test_a_second_codec_that_ends_alone_is_asked_for_again() -> None:
    meeting = Meeting()
    ann, bob, sid = _with_backup(meeting)
    _start_backup(meeting, ann, sid)
    ann.take_kinds()
    meeting.core_event("TrackEnded", ann.sid, track=f"{sid}/vp8")
    assert len(bob.last("update").participants[0].tracks[0].codecs) == 1
    assert all(one.enabled for one in ann.last("subscribed_quality_update").subscribed_codecs[1].qualities)
    meeting.core.commands.clear()
    _start_backup(meeting, ann, sid)
    assert meeting.core.named("subscribe") == [(bob.sid, {"track": f"{sid}/vp8"})]
    meeting.core_event("TrackEnded", ann.sid, track=f"{sid}/vp8")
    meeting.advance(11)
    assert bob.last("subscription_response").err == 1


def test_a_second_codec_is_not_asked_for_again_for_who_has_left() -> None:
    meeting = Meeting()
    ann, bob, sid = _with_backup(meeting)
    _start_backup(meeting, ann, sid)
    bob.request(leave=LeaveRequest())
    ann.take_kinds()
    meeting.core_event("TrackEnded", ann.sid, track=f"{sid}/vp8")
    assert not ann.received("subscribed_quality_update")


def test_who_cannot_be_sent_a_second_codec_is_told() -> None:
    meeting = Meeting()
    _ann, bob, sid = _with_backup(meeting)
    meeting.advance(11)
    response = bob.last("subscription_response")
    assert (response.track_sid, response.err) == (sid, 1)
