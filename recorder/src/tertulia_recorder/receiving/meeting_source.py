"""The meeting as one hidden participant sees it: keeps the scene up to date, and subscribes to what the scene needs.

Nothing here follows single events: each event leads to one update from the whole room (`MeetingSource._update`), so
that a lost or doubled event, a republished track or a reconnect ends in the same state.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from livekit.protocol import models, rtc

from tertulia_recorder.clock import monotonic_us
from tertulia_recorder.drawing.layout import Tile, TileKind
from tertulia_recorder.ids import Identity
from tertulia_recorder.job import EndReason
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.pipeline.quality import QualityLevel
from tertulia_recorder.receiving.connection import Connection, JoinError
from tertulia_recorder.receiving.subscriptions import (
    NOT_SUBSCRIBED,
    TILE_KIND_OF_SOURCE,
    SubscriptionSettings,
    is_readable,
    requests_for,
    settings_for,
)
from tertulia_recorder.scene import Participant, Scene, TrackSid

_log = logging.getLogger(__name__)

RECONNECT_GRACE_S: Final = 1.0
"""A full reconnect looks like leaving and joining: the tile is kept for so long."""
SPEAKING_HOLD_S: Final = 0.8
"""A pause between words is part of speaking: the ring round a speaker does not flicker."""
_RETRY_S: Final = 1.0

_FINAL_REASONS: Final = {
    models.DisconnectReason.ROOM_DELETED: EndReason.ROOM_CLOSED,
    models.DisconnectReason.ROOM_CLOSED: EndReason.ROOM_CLOSED,
    models.DisconnectReason.PARTICIPANT_REMOVED: EndReason.REMOVED,
    models.DisconnectReason.DUPLICATE_IDENTITY: EndReason.REMOVED,
}
_SERVICE_KINDS: Final = frozenset({models.ParticipantInfo.AGENT, models.ParticipantInfo.EGRESS})


@dataclass(slots=True)
class _History:
    """What the present state of the room does not show: the order of joining, who spoke when, who has just left."""

    join_order: dict[Identity, int] = field(default_factory=dict)
    spoke_at_s: dict[Identity, float] = field(default_factory=dict)
    screen_since_s: dict[TrackSid, float] = field(default_factory=dict)
    just_left: dict[Identity, tuple[Participant, float]] = field(default_factory=dict)
    """With the time until which their tile is kept."""
    speaking: frozenset[Identity] = frozenset()
    pausing_until_s: dict[Identity, float] = field(default_factory=dict)
    """Who has just stopped speaking, and until when that may be a pause."""


class MeetingSource:
    """Joins, joins again when the connection is lost, and fills the media buffer. Belongs to one event loop.

    `on_stop` is told of a stop by the media server's API (`STOP_ATTRIBUTE`): how many seconds ago.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str,
        media_buffer: MediaBuffer,
        with_picture: bool,
        on_stop: Callable[[float], None],
    ) -> None:
        self.connected = asyncio.Event()
        self.lost_at_us = 0
        """When the last connection was lost: no media came from then until the present one."""
        self.last_error = ""
        self.encrypted_tracks: set[TrackSid] = set()
        """Encrypted end to end, so not recorded: decoded without the key they would be noise, and loud."""
        self.last_occupied_at_s = time.monotonic()
        self._url = url
        self._token = token
        self._media_buffer = media_buffer
        self._with_picture = with_picture
        self._on_stop = on_stop
        self._connection: Connection | None = None
        self._history = _History()
        self._subscriptions: dict[TrackSid, SubscriptionSettings] = {}
        self._tiles: tuple[Tile, ...] = ()
        self._uses_lowest_layers = False

    async def run(self) -> EndReason:
        """Stay in the meeting until it ends for good; a lost connection is followed by another one.

        Cancelled, it leaves: otherwise its participant would remain, and with it the room's recording flag.
        """
        while True:
            leave = None
            try:
                leave = await self._run_connection()
            except JoinError as error:
                self.last_error = str(error)
                _log.warning("cannot join the meeting: %s", self.last_error)
            if leave is not None:
                reason = models.DisconnectReason.Name(leave.reason)
                self.last_error = f"the media server said {reason}"
                _log.info("disconnected from the meeting: %s", reason)
                if leave.reason in _FINAL_REASONS:
                    return _FINAL_REASONS[leave.reason]
            await asyncio.sleep(_RETRY_S)

    def subscribe_for(self, tiles: tuple[Tile, ...], quality: QualityLevel) -> None:
        """Subscribe to what the tiles need, in the size that they need, and to nothing more."""
        self._tiles, self._uses_lowest_layers = tiles, quality.uses_lowest_layers
        self._update_subscriptions()

    @property
    def is_connected(self) -> bool:
        """Whether media can arrive."""
        return self._connection is not None and self._connection.is_live

    def is_occupied(self) -> bool:
        """Return whether a user is in the meeting now, and take note of the time (`last_occupied_at_s`)."""
        if not self.is_connected or all(each.kind in _SERVICE_KINDS for each in self._participants()):
            return False
        self.last_occupied_at_s = time.monotonic()
        return True

    @property
    def is_ready(self) -> bool:
        """Whether media is being decoded and every announced picture has begun to arrive."""
        if not self.connected.is_set() or self._media_buffer.sound_until_us is None:
            return False
        now_us = monotonic_us()
        tracks = self._media_buffer.scene.video_tracks if self._with_picture else ()
        return all(self._media_buffer.pictures.at(track, now_us) for track in tracks)

    async def _run_connection(self) -> rtc.LeaveRequest | None:
        connection = Connection(
            self._url, self._token, self._media_buffer, on_change=self._update, on_stop=self._on_stop
        )
        self._connection = connection
        self._subscriptions.clear()
        try:
            return await connection.run(self._on_joined)
        finally:
            if self.connected.is_set():
                self.lost_at_us = monotonic_us()
            self.connected.clear()
            self._connection = None

    def _on_joined(self) -> None:
        self.connected.set()
        self._update()

    def _participants(self) -> list[models.ParticipantInfo]:
        connection = self._connection
        return [] if connection is None else list(connection.participants.values())

    def _update(self) -> None:
        connection = self._connection
        if connection is None or not self.connected.is_set():
            return
        now_s = time.monotonic()
        present = self._participants()
        for info in sorted(present, key=lambda p: (p.joined_at_ms or p.joined_at * 1000, p.identity)):
            self._history.join_order.setdefault(Identity(info.identity), len(self._history.join_order))
        for identity in connection.speaking:
            self._history.spoke_at_s[identity] = now_s
        speaking = connection.speaking | self._pausing(connection.speaking, now_s)
        visible = (self._participant(each, speaking, now_s) for each in present if _may_publish(each))
        by_identity = {each.identity: each for each in visible}
        by_identity |= self._just_left({Identity(p.identity) for p in present}, now_s)
        scene = Scene(tuple(sorted(by_identity.values(), key=lambda p: p.join_order)))
        if scene != self._media_buffer.scene:
            self._media_buffer.add_scene(scene, monotonic_us())
        self._update_subscriptions()

    def _pausing(self, speaking: frozenset[Identity], now_s: float) -> frozenset[Identity]:
        history = self._history
        for identity in history.speaking - speaking:
            history.pausing_until_s[identity] = now_s + SPEAKING_HOLD_S
            asyncio.get_running_loop().call_later(SPEAKING_HOLD_S * 1.05, self._update)
        history.speaking = speaking
        for identity, until_s in list(history.pausing_until_s.items()):
            if identity in speaking or now_s >= until_s:
                del history.pausing_until_s[identity]
        return frozenset(history.pausing_until_s)

    def _just_left(self, present: set[Identity], now_s: float) -> dict[Identity, Participant]:
        just_left = self._history.just_left
        for participant in self._media_buffer.scene.participants:
            if participant.identity not in present and participant.identity not in just_left:
                just_left[participant.identity] = (replace(participant, is_speaking=False), now_s + RECONNECT_GRACE_S)
                asyncio.get_running_loop().call_later(RECONNECT_GRACE_S * 1.05, self._update)
        for identity, (_, until_s) in list(just_left.items()):
            if identity in present or now_s >= until_s:
                del just_left[identity]
        return {identity: participant for identity, (participant, _) in just_left.items()}

    def _participant(self, info: models.ParticipantInfo, speaking: frozenset[Identity], now_s: float) -> Participant:
        identity = Identity(info.identity)
        tracks: dict[TileKind, TrackSid] = {}
        for track in info.tracks:
            kind = TILE_KIND_OF_SOURCE.get(track.source)
            if not is_readable(track):
                self.encrypted_tracks.add(TrackSid(track.sid))
            elif track.type == models.TrackType.VIDEO and kind is not None and not track.muted:
                tracks[kind] = TrackSid(track.sid)
        screen = tracks.get(TileKind.SCREEN)
        return Participant(
            identity=identity,
            name=info.name or info.identity,
            join_order=self._history.join_order[identity],
            camera=tracks.get(TileKind.CAMERA),
            screen=screen,
            screen_since_s=0.0 if screen is None else self._history.screen_since_s.setdefault(screen, now_s),
            is_speaking=identity in speaking,
            last_spoke_at_s=self._history.spoke_at_s.get(identity, 0.0),
        )

    def _update_subscriptions(self) -> None:
        # A camera that is muted stays subscribed: it costs nothing, and its picture is there at once after unmuting.
        connection = self._connection
        if connection is None or not self.connected.is_set():
            return
        tiles = {(tile.identity, tile.kind): tile for tile in self._tiles}
        previous, self._subscriptions = self._subscriptions, {}
        for participant in self._participants():
            for track in participant.tracks:
                kind, sid = TILE_KIND_OF_SOURCE.get(track.source), TrackSid(track.sid)
                settings = settings_for(
                    track,
                    None if kind is None else tiles.get((Identity(participant.identity), kind)),
                    with_picture=self._with_picture,
                    uses_lowest_layers=self._uses_lowest_layers,
                )
                self._subscriptions[sid] = settings
                before = previous.get(sid, NOT_SUBSCRIBED)
                for request in requests_for(participant.sid, track.sid, settings, before):
                    connection.send(request)


def _may_publish(participant: models.ParticipantInfo) -> bool:
    return participant.permission.can_publish and not participant.permission.hidden
