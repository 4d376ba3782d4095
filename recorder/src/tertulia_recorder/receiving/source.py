"""The meeting as one hidden participant sees it: keeps the scene true, and asks for what is to be seen and heard.

Nothing here follows single events: each event leads to one look at the whole room (`MeetingSource._look`), so that a
lost or doubled event, a republish or a reconnect ends in the same state.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from livekit.protocol import models, rtc

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.drawing.layout import Tile, TileKind
from tertulia_recorder.ids import Identity
from tertulia_recorder.job import EndReason
from tertulia_recorder.pipeline.pipeline import MediaBuffer
from tertulia_recorder.pipeline.timeline import QualityLevel
from tertulia_recorder.receiving.connection import Connection, JoinError
from tertulia_recorder.scene import Person, Scene, TrackSid

log = logging.getLogger(__name__)

GRACE_S: Final = 1.0
"""A full reconnect looks like leaving and joining: the tile stays that long."""
_RETRY_S: Final = 1.0
_SHARP_ENOUGH: Final = 0.7

_FINAL: Final = {
    models.DisconnectReason.ROOM_DELETED: EndReason.ROOM_CLOSED,
    models.DisconnectReason.ROOM_CLOSED: EndReason.ROOM_CLOSED,
    models.DisconnectReason.PARTICIPANT_REMOVED: EndReason.REMOVED,
    models.DisconnectReason.DUPLICATE_IDENTITY: EndReason.REMOVED,
}
_PICTURE_SOURCES: Final = {
    models.TrackSource.CAMERA: TileKind.CAMERA,
    models.TrackSource.UNKNOWN: TileKind.CAMERA,
    models.TrackSource.SCREEN_SHARE: TileKind.SCREEN,
}
_NOT_PEOPLE: Final = frozenset({models.ParticipantInfo.AGENT, models.ParticipantInfo.EGRESS})


@dataclass(frozen=True, slots=True)
class _Wish:
    subscribed: bool
    quality: models.VideoQuality | None


# What holds before anything is asked.
_NOTHING: Final = _Wish(subscribed=False, quality=None)


@dataclass(slots=True)
class _Memory:
    """What a look at the room cannot show: order of coming, who spoke when, who has just left."""

    order: dict[Identity, int] = field(default_factory=dict)
    spoke_at_s: dict[Identity, float] = field(default_factory=dict)
    screen_since_s: dict[TrackSid, float] = field(default_factory=dict)
    left: dict[Identity, tuple[Person, float]] = field(default_factory=dict)


class MeetingSource:
    """Joins, comes back when the connection is lost, and fills the media_buffer. One event loop owns it."""

    def __init__(self, *, url: str, token: str, media_buffer: MediaBuffer, with_picture: bool) -> None:
        self.connected = asyncio.Event()
        self.last_error = ""
        self.left_out: set[TrackSid] = set()
        """Tracks that are encrypted end to end: decoded without the key they are noise, and loud."""
        self.someone_seen_at_s = time.monotonic()
        self._url = url
        self._token = token
        self._media_buffer = media_buffer
        self._with_picture = with_picture
        self._connection: Connection | None = None
        self._memory = _Memory()
        self._asked: dict[TrackSid, _Wish] = {}
        self._tiles: tuple[Tile, ...] = ()
        self._small_layers = False

    async def attend(self) -> EndReason:
        """Stay in the meeting until it ends for good; a lost connection is taken up again and again.

        Cancelled, it leaves: without that a ghost would keep the recording flag up.
        """
        while True:
            goodbye = None
            try:
                goodbye = await self._attend_once()
            except JoinError as error:
                self.last_error = str(error)
                log.warning("cannot join the meeting: %s", self.last_error)
            if goodbye is not None:
                self.last_error = f"the media server said {models.DisconnectReason.Name(goodbye.reason)}"
                log.info("disconnected from the meeting: %s", models.DisconnectReason.Name(goodbye.reason))
                if goodbye.reason in _FINAL:
                    return _FINAL[goodbye.reason]
            await asyncio.sleep(_RETRY_S)

    def wish(self, tiles: tuple[Tile, ...], effort: QualityLevel) -> None:
        """Subscribe to what the tiles need, in the size they need; never more."""
        self._tiles, self._small_layers = tiles, effort.small_layers
        self._ask()

    @property
    def is_connected(self) -> bool:
        """Whether media can come."""
        return self._connection is not None and self._connection.is_live

    def is_someone_there(self) -> bool:
        """Say whether anybody is in the meeting now; remembers when somebody last was (`someone_seen_at_s`)."""
        if not self.is_connected or not any(p.kind not in _NOT_PEOPLE for p in self._present()):
            return False
        self.someone_seen_at_s = time.monotonic()
        return True

    @property
    def is_settled(self) -> bool:
        """Whether every picture that is announced has begun to arrive."""
        now_us = monotonic_us()
        people = self._media_buffer.scene.people
        tracks = [track for p in people for track in (p.camera, p.screen) if track and self._with_picture]
        return self.connected.is_set() and all(self._media_buffer.gallery.at(track, now_us) for track in tracks)

    async def _attend_once(self) -> rtc.LeaveRequest | None:
        connection = Connection(self._url, self._token, self._media_buffer, self._look)
        self._connection = connection
        self._asked.clear()
        try:
            return await connection.attend(self._joined)
        finally:
            self.connected.clear()
            self._connection = None

    def _joined(self) -> None:
        self.connected.set()
        self._look()

    def _present(self) -> list[models.ParticipantInfo]:
        connection = self._connection
        return [] if connection is None else list(connection.participants.values())

    def _look(self) -> None:
        connection = self._connection
        if connection is None or not self.connected.is_set():
            return
        now_s = time.monotonic()
        present = self._present()
        for participant in sorted(present, key=lambda p: (p.joined_at_ms or p.joined_at * 1000, p.identity)):
            self._memory.order.setdefault(Identity(participant.identity), len(self._memory.order))
        for identity in connection.speaking:
            self._memory.spoke_at_s[identity] = now_s
        seen = (self._person(each, connection.speaking, now_s) for each in present if _may_publish(each))
        people = {person.identity: person for person in seen}
        people |= self._just_left({Identity(p.identity) for p in present}, now_s)
        self._set_scene(Scene(tuple(sorted(people.values(), key=lambda p: p.joined_at))))
        self._ask()

    def _set_scene(self, scene: Scene) -> None:
        if scene != self._media_buffer.scene:
            self._media_buffer.show(scene, monotonic_us())

    def _just_left(self, here: set[Identity], now_s: float) -> dict[Identity, Person]:
        left = self._memory.left
        for person in self._media_buffer.scene.people:
            if person.identity not in here and person.identity not in left:
                left[person.identity] = (person, now_s + GRACE_S)
                asyncio.get_running_loop().call_later(GRACE_S * 1.05, self._look)
        for identity, (_, until_s) in list(left.items()):
            if identity in here or now_s >= until_s:
                del left[identity]
        return {i: person for i, (person, _) in left.items()}

    def _person(self, participant: models.ParticipantInfo, speaking: frozenset[Identity], now_s: float) -> Person:
        identity = Identity(participant.identity)
        tracks: dict[TileKind, TrackSid] = {}
        for track in participant.tracks:
            kind = _PICTURE_SOURCES.get(track.source)
            if not _is_readable(track):
                self.left_out.add(TrackSid(track.sid))
            elif track.type == models.TrackType.VIDEO and kind is not None and not track.muted:
                tracks[kind] = TrackSid(track.sid)
        screen = tracks.get(TileKind.SCREEN)
        return Person(
            identity=identity,
            name=participant.name or participant.identity,
            joined_at=self._memory.order[identity],
            camera=tracks.get(TileKind.CAMERA),
            screen=screen,
            screen_since_s=0.0 if screen is None else self._memory.screen_since_s.setdefault(screen, now_s),
            speaking=identity in speaking,
            last_spoke_at_s=self._memory.spoke_at_s.get(identity, 0.0),
        )

    def _ask(self) -> None:
        # A camera that is off stays subscribed: it costs nothing, and is there at once when it comes back.
        connection = self._connection
        if connection is None or not self.connected.is_set():
            return
        needed = {(tile.identity, tile.kind): tile for tile in self._tiles}
        asked, self._asked = self._asked, {}
        for participant in self._present():
            for track in participant.tracks:
                kind = _PICTURE_SOURCES.get(track.source)
                tile = None if kind is None else needed.get((Identity(participant.identity), kind))
                wish, before = self._wish_for(track, tile), asked.get(TrackSid(track.sid), _NOTHING)
                self._asked[TrackSid(track.sid)] = wish
                if wish != before:
                    _tell(connection, participant.sid, track.sid, wish, before)

    def _wish_for(self, track: models.TrackInfo, tile: Tile | None) -> _Wish:
        if not _is_readable(track):
            return _NOTHING
        if track.type == models.TrackType.AUDIO:
            return _Wish(subscribed=True, quality=None)
        if tile is None or not self._with_picture:
            return _NOTHING
        if not track.simulcast and len(track.layers) <= 1:
            return _Wish(subscribed=True, quality=None)
        return _Wish(True, models.VideoQuality.LOW if self._small_layers else layer_for(track.height, tile.rect.h))


def _tell(connection: Connection, owner: str, track: str, wish: _Wish, before: _Wish) -> None:
    # The layer first: the media server then begins with it.
    if wish.subscribed and wish.quality is not None:
        settings = rtc.UpdateTrackSettings(track_sids=[track], quality=wish.quality)
        connection.send(rtc.SignalRequest(track_setting=settings))
    if wish.subscribed != before.subscribed:
        of_one = models.ParticipantTracks(participant_sid=owner, track_sids=[track])
        change = rtc.UpdateSubscription(track_sids=[track], subscribe=wish.subscribed, participant_tracks=[of_one])
        connection.send(rtc.SignalRequest(subscription=change))


def layer_for(full_height: int, tile_height: int) -> models.VideoQuality:
    """Pick the smallest simulcast layer (a quarter, a half, all of `full_height`) that still looks sharp in a tile."""
    if full_height >= 4 * _SHARP_ENOUGH * tile_height:
        return models.VideoQuality.LOW
    if full_height >= 2 * _SHARP_ENOUGH * tile_height:
        return models.VideoQuality.MEDIUM
    return models.VideoQuality.HIGH


def _may_publish(participant: models.ParticipantInfo) -> bool:
    return participant.permission.can_publish and not participant.permission.hidden


def _is_readable(track: models.TrackInfo) -> bool:
    return track.encryption == models.Encryption.NONE
