"""Who is in the meeting as the recorder sees it: plain values that pass from the media connection to the picture."""

from dataclasses import dataclass
from typing import NewType

from tertulia_recorder.ids import Identity

TrackSid = NewType("TrackSid", str)


@dataclass(frozen=True, slots=True)
class Person:
    """One who may publish. `camera` and `screen` are set while that track delivers a picture.

    `joined_at` orders people; `last_spoke_at_s` is 0 for one who never spoke.
    """

    identity: Identity
    name: str
    joined_at: float = 0.0
    camera: TrackSid | None = None
    screen: TrackSid | None = None
    screen_since_s: float = 0.0
    speaking: bool = False
    last_spoke_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Everyone who may publish, at one moment. Viewers and hidden participants are not in it."""

    people: tuple[Person, ...] = ()

    @property
    def pictures(self) -> set[TrackSid]:
        """The tracks that are seen."""
        return {track for p in self.people for track in (p.camera, p.screen) if track is not None}
