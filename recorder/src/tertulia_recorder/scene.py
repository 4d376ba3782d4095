"""The meeting as the recorder sees it at one moment: plain values that pass from signalling to drawing."""

from dataclasses import dataclass
from typing import NewType

from tertulia_recorder.ids import Identity

TrackSid = NewType("TrackSid", str)


@dataclass(frozen=True, slots=True)
class Participant:
    """A participant with the permission to publish. `camera` and `screen` are set while that track is not muted.

    `join_order` counts participants in the order in which they joined; `last_spoke_at_s` is 0 for one who never spoke.
    """

    identity: Identity
    name: str
    join_order: int = 0
    camera: TrackSid | None = None
    screen: TrackSid | None = None
    screen_since_s: float = 0.0
    is_speaking: bool = False
    last_spoke_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """All participants who may publish, at one moment. Viewers and hidden participants are not in it."""

    participants: tuple[Participant, ...] = ()

    @property
    def video_tracks(self) -> set[TrackSid]:
        """The tracks that may be visible."""
        return {track for p in self.participants for track in (p.camera, p.screen) if track is not None}
