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
    SubscriptionPermission,
    TrackPermission,
    UpdateSubscription,
    UpdateTrackSettings,
)

from support.meeting import Meeting

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
