"""A request that repeats a track 100,000 times costs what the distinct tracks cost, in a room of 100 participants."""

from __future__ import annotations

import time
from typing import Any

import pytest
from livekit.protocol.models import ParticipantTracks
from livekit.protocol.rtc import (
    SubscriptionPermission,
    SyncState,
    TrackPermission,
    UpdateSubscription,
    UpdateTrackSettings,
)

from support.meeting import Meeting
from tertulia_sfu.rooms.limits import MAX_LISTED_TRACKS, MAX_SID_LENGTH
from tertulia_sfu.rooms.subscriptions import MAX_PREFERENCES

REPEATS = 100_000
ALLOWED_CPU_S = 0.1


def requests_repeating(track: str) -> dict[str, Any]:
    many = [track] * REPEATS
    return {
        "subscription": UpdateSubscription(track_sids=many),
        "subscription_of_participants": UpdateSubscription(
            participant_tracks=[ParticipantTracks(track_sids=[track])] * REPEATS
        ),
        "track_setting": UpdateTrackSettings(track_sids=many),
        "sync_state": SyncState(track_sids_disabled=many, subscription=UpdateSubscription(track_sids=many)),
        "subscription_permission": SubscriptionPermission(
            track_permissions=[TrackPermission(participant_identity="eve", track_sids=[track] * 100)] * 1000
        ),
    }


@pytest.mark.parametrize("name", requests_repeating("TR"))
def test_repeats_cost_nothing(name: str) -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    for number in range(100):
        meeting.join(f"guest-{number}", connect=False)
    bob = meeting.join("bob")
    for _ in range(3):
        ann.publish()
    track = bob.publish()
    request = requests_repeating(track)[name]
    started = time.thread_time()
    (bob if name == "subscription_permission" else ann).request(**{name.removesuffix("_of_participants"): request})
    assert time.thread_time() - started < ALLOWED_CPU_S


def test_many_different_tracks_are_bounded() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    preferences = ann.participant.preferences
    for part in range(10):
        names = [f"TR_{part}_{number}" for number in range(MAX_LISTED_TRACKS + 1000)]
        ann.request(subscription=UpdateSubscription(track_sids=names))
        ann.request(track_setting=UpdateTrackSettings(track_sids=names))
        if part == 0:
            assert len(preferences.subscribed) == len(preferences.settings) == MAX_LISTED_TRACKS
    assert len(preferences.subscribed) == len(preferences.settings) == MAX_PREFERENCES
    ann.request(subscription=UpdateSubscription(track_sids=["TR_0_0"], subscribe=True))
    assert preferences.subscribed[next(iter(preferences.subscribed))], "what is known can still be changed"


def test_what_is_kept_of_a_request_is_small() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    names = ["TR_1", "x" * (MAX_SID_LENGTH + 1), *(["TR_2"] * REPEATS)]
    ann.request(track_setting=UpdateTrackSettings(track_sids=names, width=320))
    kept = ann.participant.preferences.settings
    assert set(kept) == {"TR_1", "TR_2"}
    assert all(settings.width == 320 and settings.ByteSize() < 100 for settings in kept.values())
