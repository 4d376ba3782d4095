"""What a publisher allows: the union of its entries, by sid or identity; a huge list allows no more than its start."""

from __future__ import annotations

from livekit.protocol.rtc import SubscriptionPermission, TrackPermission

from tertulia_sfu.rooms.limits import MAX_LISTED_TRACKS
from tertulia_sfu.rooms.track_access import TrackAccess


def test_entries_of_one_participant_add_up() -> None:
    access = TrackAccess.of(
        SubscriptionPermission(
            track_permissions=[
                TrackPermission(participant_identity="bob", track_sids=["TR_1"]),
                TrackPermission(participant_sid="PA_bob", track_sids=["TR_2"]),
                TrackPermission(participant_identity="bob", track_sids=["TR_3"]),
                TrackPermission(participant_identity="eve", all_tracks=True),
                TrackPermission(participant_identity="eve", track_sids=["TR_1"]),
            ]
        )
    )
    allowed = {track for track in ("TR_1", "TR_2", "TR_3", "TR_4") if access.allows("PA_bob", "bob", track)}
    assert allowed == {"TR_1", "TR_2", "TR_3"}
    assert access.allows("PA_eve", "eve", "TR_4")
    assert not access.allows("", "", "TR_1"), "an entry that names nobody is for nobody"
    assert TrackAccess.for_all().allows("PA_any", "any", "TR_1")


def test_what_is_beyond_the_limit_is_not_allowed() -> None:
    names = [f"TR_{number}" for number in range(MAX_LISTED_TRACKS + 1)]
    permissions = [
        TrackPermission(participant_identity="bob", track_sids=names),
        TrackPermission(participant_identity="eve", track_sids=["TR_0"]),
    ]
    access = TrackAccess.of(SubscriptionPermission(track_permissions=permissions))
    assert access.allows("PA_bob", "bob", names[MAX_LISTED_TRACKS - 1])
    assert not access.allows("PA_bob", "bob", names[MAX_LISTED_TRACKS])
    assert not access.allows("PA_eve", "eve", "TR_0")
