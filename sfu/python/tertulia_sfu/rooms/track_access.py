"""Which participants a publisher lets receive its tracks: its last `subscription_permission`, as an index."""

from dataclasses import dataclass
from itertools import islice

from livekit.protocol.rtc import SubscriptionPermission

from tertulia_sfu.rooms.limits import MAX_LISTED_TRACKS


@dataclass(frozen=True, slots=True)
class TrackAccess:
    """The participants, by sid and by identity, and the tracks that each may receive (None: all)."""

    all_participants: bool
    by_sid: dict[str, set[str] | None]
    by_identity: dict[str, set[str] | None]

    @classmethod
    def for_all(cls) -> "TrackAccess":
        """Return the access that holds until a publisher restricts it: every participant, every track."""
        return cls(all_participants=True, by_sid={}, by_identity={})

    @classmethod
    def of(cls, permission: SubscriptionPermission) -> "TrackAccess":
        """Return what a request allows. Beyond MAX_LISTED_TRACKS participants and tracks, nothing more is allowed."""
        by_sid: dict[str, set[str] | None] = {}
        by_identity: dict[str, set[str] | None] = {}
        room_for = MAX_LISTED_TRACKS
        for each in islice(permission.track_permissions, MAX_LISTED_TRACKS):
            tracks = None if each.all_tracks else set(islice(each.track_sids, room_for))
            room_for -= 0 if tracks is None else min(len(each.track_sids), room_for)
            for index, key in ((by_sid, each.participant_sid), (by_identity, each.participant_identity)):
                if key:
                    known = index.setdefault(key, set())
                    if tracks is None:
                        index[key] = None
                    elif known is not None:
                        known |= tracks
        return cls(all_participants=permission.all_participants, by_sid=by_sid, by_identity=by_identity)

    def allows(self, sid: str, identity: str, track: str) -> bool:
        """Return whether this participant may receive this track."""
        if self.all_participants:
            return True
        found = (self.by_sid.get(sid, set()), self.by_identity.get(identity, set()))
        return any(tracks is None or track in tracks for tracks in found)
