"""All live rooms of this server: look-up, joining, and the events of the media core."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
from livekit.protocol.models import DisconnectReason
from livekit.protocol.room import CreateRoomRequest, RoomConfiguration
from livekit.protocol.rtc import JoinRequest, LeaveRequest

from tertulia_sfu.config import MediaConfig
from tertulia_sfu.errors import EntityNotFound, InvalidRequest, ServiceUnavailable
from tertulia_sfu.ids import Identity, ParticipantSid, RoomName
from tertulia_sfu.rooms.codecs import room_codecs
from tertulia_sfu.rooms.limits import check_sizes
from tertulia_sfu.rooms.live_room import LiveRoom
from tertulia_sfu.rooms.participant import Participant, participant_of
from tertulia_sfu.rooms.ports import EventListener, MediaCommands, SignalSink, Timers
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.rooms.session import SignalSession
from tertulia_sfu.tokens import MAX_NAME_LENGTH, Claims, Tokens

# one of the core's event classes; each handler below knows which fields its own has
_Event = Any

_log = structlog.get_logger(__name__)


class LiveRooms:
    """The live rooms by name, and the signal sessions by participant."""

    def __init__(
        self,
        *,
        config: MediaConfig,
        tokens: Tokens,
        media: MediaCommands,
        signals: SignalSink,
        timers: Timers,
        listener: EventListener,
        node_id: str,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._media = media
        self._signals = signals
        self._timers = timers
        self._listener = listener
        self._node_id = node_id
        self._rooms: dict[RoomName, LiveRoom] = {}
        self._sessions: dict[ParticipantSid, SignalSession] = {}
        self.is_draining = False

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(list(self._rooms.values()))

    def find(self, name: str) -> LiveRoom | None:
        """Return the live room with this name."""
        return self._rooms.get(RoomName(name))

    def create(self, request: CreateRoomRequest | RoomConfiguration, *, name: RoomName, now: float) -> LiveRoom:
        """Return the live room with this name, created with these settings if missing.

        Raise InvalidRequest, or ServiceUnavailable when it is missing and this server takes no new rooms.
        """
        room = self._rooms.get(name)
        if room is not None:
            return room
        self._check_takes_rooms()
        if len(name) > MAX_NAME_LENGTH:
            raise InvalidRequest(f"The room's name is longer than {MAX_NAME_LENGTH} characters.")
        check_sizes(metadata=request.metadata)
        codecs = room_codecs(request.tags, self._config.codecs)
        roster = Roster(
            name, now=now, media=self._media, signals=self._signals, timers=self._timers, listener=self._listener
        )
        roster.metadata = request.metadata
        roster.max_participants = request.max_participants
        roster.empty_timeout_s = request.empty_timeout or self._config.empty_timeout_s
        roster.departure_timeout_s = request.departure_timeout or self._config.departure_timeout_s
        roster.codecs = codecs
        room = LiveRoom(
            roster,
            config=self._config,
            tokens=self._tokens,
            node_id=self._node_id,
            on_left=self._forget_session,
            on_closed=self._forget_room,
        )
        self._rooms[name] = room
        room.opened(now)
        return room

    def _forget_room(self, room: LiveRoom) -> None:
        if self._rooms.get(room.roster.name) is room:
            del self._rooms[room.roster.name]

    def _forget_session(self, participant: Participant) -> None:
        self._sessions.pop(participant.sid, None)

    def check_exists(self, claims: Claims) -> None:
        """Raise EntityNotFound if the room is missing and this join may not create it. Clients match the text.

        Raise ServiceUnavailable if it is missing and this server takes no new rooms.
        """
        if RoomName(claims.video.room) in self._rooms:
            return
        if not (self._config.auto_create or claims.video.room_create):
            raise EntityNotFound("requested room does not exist")
        self._check_takes_rooms()

    def _check_takes_rooms(self) -> None:
        if self.is_draining:
            raise ServiceUnavailable("The server takes no new rooms: it is about to be stopped.")

    # ── sessions ──

    def join(
        self,
        sid: ParticipantSid,
        claims: Claims,
        request: JoinRequest,
        *,
        now: float,
        address: str = "unknown",
        token_not_after: float | None = None,
        is_dual: bool = False,
    ) -> SignalSession:
        """Join a room, which is created if missing. Raise EntityNotFound, RoomFull or InvalidRequest."""
        self.check_exists(claims)
        room = self.create(claims.room_config or RoomConfiguration(), name=RoomName(claims.video.room), now=now)
        participant = room.join(
            sid, claims, request, now=now, address=address, token_not_after=token_not_after, is_dual=is_dual
        )
        session = SignalSession(room, participant)
        self._sessions[sid] = session
        session.start(request, now)
        return session

    def resumable(self, room: str, identity: Identity, sid: str) -> SignalSession | None:
        """Return the session that a reconnecting client can resume."""
        live = self._rooms.get(RoomName(room))
        participant = live.roster.find(identity) if live is not None else None
        if participant is None or (sid and participant.sid != sid):
            return None
        return self._sessions.get(participant.sid)

    def session(self, sid: str) -> SignalSession | None:
        """Return the session of this participant, if it has not ended."""
        return self._sessions.get(ParticipantSid(sid))

    def close_all(self, now: float) -> None:
        """Close all rooms because the server stops: their clients are told to join again, here or at another server."""
        for room in self:
            room.close(DisconnectReason.SERVER_SHUTDOWN, now, action=LeaveRequest.RECONNECT)

    # ── events of the media core ──

    def handle_media_event(self, event: _Event, now: float) -> None:
        """Handle one event by its type. Events of peers that have left are ignored."""
        name = type(event).__name__
        if name == "SpeakersChanged":
            self._speakers_changed(event.levels)
            return
        session = self.session(participant_of(event.peer))
        handler = _EVENTS.get(name)
        if session is not None and handler is not None:
            handler(session.room, session.participant, event, now)

    def _speakers_changed(self, levels: list[tuple[str, float]]) -> None:
        by_room: dict[LiveRoom, list[tuple[Participant, float]]] = defaultdict(list)
        for sid, level in levels:
            session = self.session(sid)
            if session is not None:
                by_room[session.room].append((session.participant, level))
        for room, speakers in by_room.items():
            room.status.send_speakers(speakers)


def _answered(room: LiveRoom, participant: Participant, event: _Event, _now: float) -> None:
    room.negotiation.handle_answered(participant, offer_id=event.offer_id, sdp=event.sdp, tracks=event.tracks)


def _negotiation_failed(room: LiveRoom, participant: Participant, event: _Event, now: float) -> None:
    _log.warning("negotiation failed", reason=event.reason, **participant.log_fields)
    room.require_full_reconnect(participant, now)


def _peer_failed(room: LiveRoom, participant: Participant, event: _Event, now: float) -> None:
    _log.warning("peer failed", reason=event.reason, **participant.log_fields)
    room.require_full_reconnect(participant, now)


def _peer_connected(room: LiveRoom, participant: Participant, event: _Event, now: float) -> None:
    room.connectivity.peer_connected(participant, now, peer=event.peer)
    if participant.connected:
        room.quality.connected(participant, now)


def _data_received(room: LiveRoom, participant: Participant, event: _Event, now: float) -> None:
    """Relay a data packet, and charge it. A client that goes on above its budget is removed."""
    payload, cpu_before, is_of_track = event.payload, time.thread_time(), event.channel == "data_track"
    copies = None
    if event.peer == participant.sid:  # the other one, if there are two, only receives
        copies = (
            room.data_tracks.handle_packet(participant, payload)
            if is_of_track
            else room.data.handle_packet(participant, event.channel, payload, now)
        )
    wait_s = participant.data_budget.charge(
        now,
        size=len(payload),
        copies=copies or 0,
        is_refused=copies is None,
        is_of_track=is_of_track,
        cpu_s=time.thread_time() - cpu_before,
    )
    if participant.data_budget.is_exceeded:
        _log.warning("participant removed: its data packets exceed the budget", **_whose(participant))
        room.remove(participant, DisconnectReason.STATE_MISMATCH, now)
    elif wait_s:
        room.roster.media.hold_data(event.peer, seconds=wait_s)


def _data_lost(_room: LiveRoom, participant: Participant, event: _Event, _now: float) -> None:
    _log.warning("data dropped: the client does not take it", bytes=event.bytes, **_whose(participant))


def _data_open(room: LiveRoom, participant: Participant, event: _Event, now: float) -> None:
    if event.peer == participant.primary_peer:
        room.data.handle_channel_open(participant, event.channel, now)


def _whose(participant: Participant) -> dict[str, str]:
    return participant.log_fields | {"address": participant.address}


_EVENTS: Final[dict[str, Callable[[LiveRoom, Participant, Any, float], None]]] = {
    "Answered": _answered,
    "NegotiationFailed": _negotiation_failed,
    "PeerFailed": _peer_failed,
    "SectionsNeeded": lambda room, peer, event, _: room.subscriptions.request_sections(
        peer, audio=event.audio, video=event.video
    ),
    "Offered": lambda room, peer, event, now: room.negotiation.handle_offered(
        peer, offer_id=event.offer_id, sdp=event.sdp, now=now
    ),
    "PeerConnected": _peer_connected,
    "PeerDisconnected": lambda room, peer, event, now: room.connectivity.peer_disconnected(peer, now, peer=event.peer),
    "TrackStarted": lambda room, peer, event, now: room.publications.handle_started(
        peer, event.track, mid=event.mid, mime_type=event.mime_type, cid=event.cid, now=now
    ),
    "TrackEnded": lambda room, peer, event, now: room.publications.handle_ended(peer, event.track, now),
    "SubscriptionStarted": lambda room, peer, event, _: room.subscriptions.handle_started(peer, event.track),
    "SubscriptionFailed": lambda room, peer, event, now: room.subscriptions.handle_failed(
        peer, event.track, event.reason, now
    ),
    "QualityWanted": lambda room, peer, event, _: room.dynacast.set_quality(peer, event.track, event.quality),
    "StreamPaused": lambda room, peer, event, _: room.subscriptions.handle_paused(
        peer, event.track, paused=event.paused
    ),
    "PeerReport": lambda room, peer, event, now: room.quality.report(peer, event, now),
    "LinkQuality": lambda room, peer, event, now: room.status.send_link_quality(
        peer, now, loss=event.loss, rtt_ms=event.rtt_ms, link=event.peer
    ),
    "DataReceived": _data_received,
    "DataLost": _data_lost,
    "DataOpen": _data_open,
}
