"""The meeting as one hidden participant sees it, through the LiveKit SDK: keeps the scene true, reads every stream.

Nothing here follows single events: each event leads to one look at the whole room (`MeetingSource._look`), so that a
lost or doubled event, a republish or a reconnect ends in the same state.
"""

import asyncio
import itertools
import logging
import time
import weakref
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from livekit import rtc

from tertulia.domain.ids import Identity
from tertulia.domain.recorder_job import EndReason
from tertulia.recorder.gallery import picture_of
from tertulia.recorder.layout import Tile, TileKind
from tertulia.recorder.lipsync import HandOverDelay, LipSync
from tertulia.recorder.mixer import CHANNELS
from tertulia.recorder.pipeline import Intake
from tertulia.recorder.scene import Person, Scene, TrackSid
from tertulia.recorder.timeline import MICROSECOND, SAMPLE_RATE_HZ, Effort

log = logging.getLogger(__name__)

GRACE_S: Final = 1.0
"""A full reconnect looks like leaving and joining: the tile stays that long."""
_RETRY_S: Final = 1.0
_CONNECT_TIMEOUT_S: Final = 5.0
_CLOSE_TIMEOUT_S: Final = 2.0
_MEASURE_S: Final = 1.0
_MEASURE_SELDOM_S: Final = 2.0
_MEASURE_OFTEN_FOR: Final = 10
"""Statistics are dear, and a buffer's length changes most while it fills."""
_SOUND_CHUNK_MS: Final = 80
"""The library's own pieces are 10 ms; fewer and larger ones cost an eighth of the calls."""
_SOUND_WAITS_US: Final = (_SOUND_CHUNK_MS - 10) * 1000
"""How long a chunk's first piece waited for its last."""
_SANE_US: Final = MICROSECOND
_SHARP_ENOUGH: Final = 0.7

_CHANGES: Final = (
    "participant_connected",
    "participant_disconnected",
    "participant_name_changed",
    "participant_permissions_changed",
    "track_published",
    "track_unpublished",
    "track_muted",
    "track_unmuted",
    "reconnected",
    "room_updated",
)

_FINAL: Final = {
    rtc.DisconnectReason.ROOM_DELETED: EndReason.ROOM_CLOSED,
    rtc.DisconnectReason.ROOM_CLOSED: EndReason.ROOM_CLOSED,
    rtc.DisconnectReason.PARTICIPANT_REMOVED: EndReason.REMOVED,
    rtc.DisconnectReason.DUPLICATE_IDENTITY: EndReason.REMOVED,
}
_PICTURE_SOURCES: Final = {
    rtc.TrackSource.SOURCE_CAMERA: TileKind.CAMERA,
    rtc.TrackSource.SOURCE_UNKNOWN: TileKind.CAMERA,
    rtc.TrackSource.SOURCE_SCREENSHARE: TileKind.SCREEN,
}
_NOT_PEOPLE: Final = frozenset(
    {rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS}
)


@dataclass(frozen=True, slots=True)
class _Wish:
    subscribed: bool
    quality: int | None


# What holds before anything is asked. To ask for nothing first would be wrong: the SDK may turn two wishes round.
_NOTHING: Final = _Wish(subscribed=False, quality=None)


@dataclass(slots=True)
class _Memory:
    """What a look at the room cannot show: order of coming, who spoke when, who has just left."""

    order: dict[Identity, int] = field(default_factory=dict)
    spoke_at_s: dict[Identity, float] = field(default_factory=dict)
    screen_since_s: dict[TrackSid, float] = field(default_factory=dict)
    left: dict[Identity, tuple[Person, float]] = field(default_factory=dict)


class MeetingSource:
    """Joins, comes back when the connection is lost, and fills the intake. One event loop owns it."""

    def __init__(self, *, url: str, token: str, intake: Intake, with_picture: bool) -> None:
        self.connected = asyncio.Event()
        self.last_error = ""
        self.left_out: set[TrackSid] = set()
        """Tracks that are encrypted end to end: decoded without the key they are noise, and loud."""
        self.someone_seen_at_s = time.monotonic()
        self._url = url
        self._token = token
        self._intake = intake
        self._with_picture = with_picture
        self._room: rtc.Room | None = None
        self._memory = _Memory()
        self._speaking: frozenset[Identity] = frozenset()
        self._readers: dict[TrackSid, tuple[asyncio.Task[None], ...]] = {}
        self._lip_sync = LipSync()
        self._hand_over = HandOverDelay()
        self._asked: weakref.WeakKeyDictionary[rtc.RemoteTrackPublication, _Wish] = weakref.WeakKeyDictionary()
        self._tiles: tuple[Tile, ...] = ()
        self._small_layers = False

    async def attend(self, tasks: asyncio.TaskGroup) -> EndReason:
        """Stay in the meeting until it ends for good; a lost connection is taken up again and again."""
        while True:
            try:
                reason = _FINAL.get(await self._attend_once(tasks))
            except (rtc.ConnectError, TimeoutError) as error:
                reason = None
                self.last_error = str(getattr(error, "message", error)).replace(self._token, "…")
                log.warning("cannot join the meeting: %s", self.last_error)
            finally:
                self.connected.clear()
            if reason is not None:
                return reason
            await asyncio.sleep(_RETRY_S)

    async def leave(self) -> None:
        """Leave the meeting; without this a ghost would keep the recording flag up."""
        room, self._room = self._room, None
        for track in list(self._readers):
            self._stop_reading(track)
        if room is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(room.disconnect(), _CLOSE_TIMEOUT_S)

    def wish(self, tiles: tuple[Tile, ...], effort: Effort) -> None:
        """Subscribe to what the tiles need, in the size they need; never more."""
        self._tiles, self._small_layers = tiles, effort.small_layers
        if self._room is not None:
            self._ask(self._room)

    @property
    def is_connected(self) -> bool:
        """Whether the media server answers; False while the SDK tries to come back."""
        return self._room is not None and self._room.connection_state == rtc.ConnectionState.CONN_CONNECTED

    def is_someone_there(self) -> bool:
        """Say whether anybody is in the meeting now; remembers when somebody last was (`someone_seen_at_s`)."""
        room = self._room
        if (
            room is None
            or not self.is_connected
            or not any(p.kind not in _NOT_PEOPLE for p in room.remote_participants.values())
        ):
            return False
        self.someone_seen_at_s = time.monotonic()
        return True

    @property
    def is_settled(self) -> bool:
        """Whether every picture that is announced has begun to arrive."""
        now_us = monotonic_us()
        people = self._intake.scene.people
        tracks = [track for p in people for track in (p.camera, p.screen) if track and self._with_picture]
        return self.connected.is_set() and all(self._intake.gallery.at(track, now_us) for track in tracks)

    async def _attend_once(self, tasks: asyncio.TaskGroup) -> rtc.DisconnectReason.ValueType:
        room = rtc.Room()
        gone: asyncio.Future[rtc.DisconnectReason.ValueType] = asyncio.get_running_loop().create_future()
        self._listen(room, gone, tasks)
        options = rtc.RoomOptions(auto_subscribe=False, connect_timeout=_CONNECT_TIMEOUT_S)
        async with asyncio.timeout(2 * _CONNECT_TIMEOUT_S):
            await room.connect(self._url, self._token, options)
        self._room = room
        self._asked.clear()
        self.connected.set()
        self._look(room)
        try:
            reason = await gone
        finally:
            self.connected.clear()
            for track in list(self._readers):
                self._stop_reading(track)
        log.info("disconnected from the meeting: %s", rtc.DisconnectReason.Name(reason))
        self._room = None
        return reason

    def _listen(
        self, room: rtc.Room, gone: asyncio.Future[rtc.DisconnectReason.ValueType], tasks: asyncio.TaskGroup
    ) -> None:
        def look(*_: object) -> None:
            if self._room is room:
                self._look(room)

        def on_reconnected() -> None:
            self._asked.clear()
            look()

        def on_disconnected(reason: rtc.DisconnectReason.ValueType) -> None:
            if not gone.done():
                gone.set_result(reason)

        def on_speakers(speakers: Iterable[rtc.Participant]) -> None:
            self._speaking = frozenset(Identity(p.identity) for p in speakers)
            look()

        def on_subscribed(track: rtc.Track, publication: rtc.RemoteTrackPublication, by: rtc.RemoteParticipant) -> None:
            self._start_reading(TrackSid(publication.sid), track, Identity(by.identity), tasks)
            look()

        def on_unsubscribed(_: object, publication: rtc.RemoteTrackPublication, __: rtc.RemoteParticipant) -> None:
            self._stop_reading(TrackSid(publication.sid))

        for event in _CHANGES:
            room.on(event, on_reconnected if event == "reconnected" else look)
        room.on("disconnected", on_disconnected)
        room.on("active_speakers_changed", on_speakers)
        room.on("track_subscribed", on_subscribed)
        room.on("track_unsubscribed", on_unsubscribed)

    def _look(self, room: rtc.Room) -> None:
        now_s = time.monotonic()
        present = list(room.remote_participants.values())
        for participant in sorted(present, key=lambda p: (p._info.joined_at, p.identity)):  # noqa: SLF001 - no other way
            self._memory.order.setdefault(Identity(participant.identity), len(self._memory.order))
        for identity in self._speaking:
            self._memory.spoke_at_s[identity] = now_s
        people = {p.identity: p for p in (self._person(each, now_s) for each in present if _may_publish(each))}
        people |= self._just_left(room, now_s)
        self._set_scene(Scene(tuple(sorted(people.values(), key=lambda p: p.joined_at))))
        self._ask(room)

    def _set_scene(self, scene: Scene) -> None:
        if scene != self._intake.scene:
            self._intake.show(scene, monotonic_us())

    def _just_left(self, room: rtc.Room, now_s: float) -> dict[Identity, Person]:
        left = self._memory.left
        here = set(room.remote_participants)
        for person in self._intake.scene.people:
            if person.identity not in here and person.identity not in left:
                left[person.identity] = (person, now_s + GRACE_S)
                asyncio.get_running_loop().call_later(GRACE_S * 1.05, self._look_again, room)
        for identity, (_, until_s) in list(left.items()):
            if identity in here or now_s >= until_s:
                del left[identity]
                if identity not in here:
                    self._lip_sync.forget(identity)
        return {i: person for i, (person, _) in left.items()}

    def _look_again(self, room: rtc.Room) -> None:
        if self._room is room:
            self._look(room)

    def _person(self, participant: rtc.RemoteParticipant, now_s: float) -> Person:
        identity = Identity(participant.identity)
        tracks: dict[TileKind, TrackSid] = {}
        for publication in participant.track_publications.values():
            kind = _PICTURE_SOURCES.get(publication.source)
            if not _is_readable(publication):
                self.left_out.add(TrackSid(publication.sid))
            elif publication.kind == rtc.TrackKind.KIND_VIDEO and kind is not None and not publication.muted:
                tracks[kind] = TrackSid(publication.sid)
        screen = tracks.get(TileKind.SCREEN)
        return Person(
            identity=identity,
            name=participant.name or participant.identity,
            joined_at=self._memory.order[identity],
            camera=tracks.get(TileKind.CAMERA),
            screen=screen,
            screen_since_s=0.0 if screen is None else self._memory.screen_since_s.setdefault(screen, now_s),
            speaking=identity in self._speaking,
            last_spoke_at_s=self._memory.spoke_at_s.get(identity, 0.0),
        )

    def _ask(self, room: rtc.Room) -> None:
        # A camera that is off stays subscribed: it costs nothing, and is there at once when it comes back.
        needed = {(tile.identity, tile.kind): tile for tile in self._tiles}
        for participant in room.remote_participants.values():
            for publication in participant.track_publications.values():
                kind = _PICTURE_SOURCES.get(publication.source)
                tile = None if kind is None else needed.get((Identity(participant.identity), kind))
                wish = self._wish_for(publication, tile)
                if wish != self._asked.get(publication, _NOTHING):
                    self._asked[publication] = wish
                    publication.set_subscribed(wish.subscribed)
                    if wish.subscribed and wish.quality is not None:
                        publication.set_video_quality(wish.quality)  # type: ignore[arg-type]  # an enum's int

    def _wish_for(self, publication: rtc.RemoteTrackPublication, tile: Tile | None) -> _Wish:
        if not _is_readable(publication):
            return _NOTHING
        if publication.kind == rtc.TrackKind.KIND_AUDIO:
            return _Wish(subscribed=True, quality=None)
        if tile is None or not self._with_picture:
            return _NOTHING
        if not publication.simulcasted:
            return _Wish(subscribed=True, quality=None)
        low = rtc.VideoQuality.VIDEO_QUALITY_LOW
        return _Wish(True, low if self._small_layers else layer_for(publication.height, tile.rect.h))

    def _start_reading(self, sid: TrackSid, track: rtc.Track, who: Identity, tasks: asyncio.TaskGroup) -> None:
        self._stop_reading(sid)
        is_sound = track.kind == rtc.TrackKind.KIND_AUDIO
        reading = self._read_audio(sid, track, who) if is_sound else self._read_video(sid, track)
        self._readers[sid] = (
            tasks.create_task(_guarded(sid, reading), name=f"read {sid}"),
            tasks.create_task(_guarded(sid, self._measure(sid, track, who, is_sound=is_sound)), name=f"measure {sid}"),
        )

    def _stop_reading(self, sid: TrackSid) -> None:
        for task in self._readers.pop(sid, ()):
            task.cancel()

    async def _measure(self, sid: TrackSid, track: rtc.Track, who: Identity, *, is_sound: bool) -> None:
        for number in itertools.count():
            await asyncio.sleep(_MEASURE_S if number < _MEASURE_OFTEN_FOR else _MEASURE_SELDOM_S)
            for each in await track.get_stats():
                if each.HasField("inbound_rtp"):
                    buffer = each.inbound_rtp.inbound
                    total_s, count = buffer.jitter_buffer_delay, int(buffer.jitter_buffer_emitted_count)
                    self._lip_sync.measured(who, sid, is_sound=is_sound, total_s=total_s, count=count)

    async def _read_video(self, sid: TrackSid, track: rtc.Track) -> None:
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420, capacity=3)
        try:
            async for event in stream:
                now_us, time_us = monotonic_us(), event.timestamp_us
                time_us = time_us if abs(time_us - now_us) < _SANE_US else now_us
                self._hand_over.seen(now_us, time_us)
                frame = event.frame
                turns: int = event.rotation  # type: ignore[assignment]  # an enum's int: quarter turns
                picture = picture_of(frame.data, frame.width, frame.height, turns, time_us)
                if picture is not None:
                    self._intake.gallery.add(sid, picture)
        finally:
            await _close(stream)

    async def _read_audio(self, sid: TrackSid, track: rtc.Track, who: Identity) -> None:
        stream = rtc.AudioStream(
            track, sample_rate=SAMPLE_RATE_HZ, num_channels=CHANNELS, frame_size_ms=_SOUND_CHUNK_MS
        )
        try:
            async for event in stream:
                pcm = np.frombuffer(event.frame.data, np.int16).reshape(-1, CHANNELS)
                now_us = monotonic_us()
                begun_us = now_us - _SOUND_WAITS_US - self._hand_over.smallest_us(now_us)
                self._intake.add_sound(sid, pcm, begun_us - self._lip_sync.sound_is_late_us(who))
        finally:
            self._intake.end_sound(sid, monotonic_us())
            await _close(stream)


def layer_for(full_height: int, tile_height: int) -> int:
    """Pick the smallest simulcast layer (a quarter, a half, all of `full_height`) that still looks sharp in a tile."""
    if full_height >= 4 * _SHARP_ENOUGH * tile_height:
        return rtc.VideoQuality.VIDEO_QUALITY_LOW
    if full_height >= 2 * _SHARP_ENOUGH * tile_height:
        return rtc.VideoQuality.VIDEO_QUALITY_MEDIUM
    return rtc.VideoQuality.VIDEO_QUALITY_HIGH


def monotonic_us() -> int:
    """Give the clock of the SDK's frame times: CLOCK_MONOTONIC, microseconds."""
    return time.monotonic_ns() // 1000


def _may_publish(participant: rtc.RemoteParticipant) -> bool:
    permission = participant.permissions
    return bool(permission.can_publish and not permission.hidden)


def _is_readable(publication: rtc.RemoteTrackPublication) -> bool:
    return publication.encryption_type == rtc.EncryptionType.NONE


async def _guarded(name: str, reading: Coroutine[None, None, None]) -> None:
    # One publisher's garbage must not end a recording of everybody.
    try:
        await reading
    except Exception:
        log.exception("stopped reading track %s", name)


async def _close(stream: rtc.VideoStream | rtc.AudioStream) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stream.aclose(), _CLOSE_TIMEOUT_S)
