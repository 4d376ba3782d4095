"""Live rooms over a fake media core: participants without sockets, a clock that tests move, and every message sent."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from livekit.protocol.models import ClientInfo, ParticipantInfo, TrackInfo, TrackSource, TrackType
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import (
    AddTrackRequest,
    ConnectionSettings,
    JoinRequest,
    SignalRequest,
    SignalResponse,
)
from livekit.protocol.webhook import WebhookEvent

from support.fake_core import FakeCore, event
from tertulia_sfu.config import MediaConfig
from tertulia_sfu.ids import ApiKey, Identity, ParticipantSid
from tertulia_sfu.rooms.live_room import LiveRoom
from tertulia_sfu.rooms.live_rooms import LiveRooms
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.session import SignalSession
from tertulia_sfu.rooms.timers import DeadlineQueue
from tertulia_sfu.tokens import Claims, Tokens, VideoGrant

KEY, SECRET = "key", "a-secret-for-tests-only-0123456789abcdef"
START = 1_800_000_000.0


@dataclass
class RecordedSignals:
    """Signal connections that keep what was sent over them."""

    sent: dict[ParticipantSid, list[SignalResponse]] = field(default_factory=lambda: defaultdict(list))
    closed: list[ParticipantSid] = field(default_factory=list)

    def send(self, recipients: Sequence[ParticipantSid], message: SignalResponse | bytes) -> None:
        frame = message if isinstance(message, bytes) else message.SerializeToString()
        copy = SignalResponse.FromString(frame)
        for sid in recipients:
            if sid not in self.closed:
                self.sent[sid].append(copy)

    def close(self, sid: ParticipantSid) -> None:
        self.closed.append(sid)


@dataclass
class Guest:
    """One participant of a meeting, driven by its signal requests."""

    meeting: Meeting
    session: SignalSession
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def participant(self) -> Participant:
        return self.session.participant

    @property
    def room(self) -> LiveRoom:
        return self.session.room

    @property
    def sid(self) -> ParticipantSid:
        return self.participant.sid

    @property
    def messages(self) -> list[SignalResponse]:
        return self.meeting.signals.sent[self.sid]

    def take_kinds(self) -> list[str]:
        """Return the kinds of the messages since the last call."""
        kinds = [str(message.WhichOneof("message")) for message in self.messages]
        self.messages.clear()
        return kinds

    def last(self, kind: str) -> Any:
        """Return the newest message of this kind."""
        found = [message for message in self.messages if message.WhichOneof("message") == kind]
        assert found, f"no {kind}, only {[message.WhichOneof('message') for message in self.messages]}"
        return getattr(found[-1], kind)

    def received(self, kind: str) -> bool:
        return any(message.WhichOneof("message") == kind for message in self.messages)

    def request(self, **request: Any) -> None:
        """Send one signal request."""
        self.session.handle(SignalRequest(**request), self.meeting.now)

    def resume(self) -> None:
        """Resume over a new signal connection."""
        self.session.resume(JoinRequest(reconnect=True, participant_sid=self.sid), self.meeting.now)

    def lose_signal(self) -> None:
        """Lose the signal connection."""
        self.room.connectivity.signal_lost(self.participant, self.meeting.now)

    def connect(self) -> None:
        """Connect media and data channels."""
        peer = self.participant.primary_peer
        self.meeting.core_event("PeerConnected", peer)
        for channel in ("reliable", "lossy"):
            self.meeting.core_event("DataOpen", peer, channel=channel)

    def publish(
        self, source: TrackSource = TrackSource.CAMERA, *, kind: TrackType = TrackType.VIDEO, **request: Any
    ) -> str:
        """Publish a track whose first packet comes at once. Return its sid."""
        cid = f"cid-{self.sid}-{next(self._numbers)}"
        self.request(add_track=AddTrackRequest(cid=cid, type=kind, source=source, **request))
        sid = str(self.last("track_published").track.sid)
        mime_type = "video/VP8" if kind == TrackType.VIDEO else "audio/opus"
        self.meeting.core_event(
            "TrackStarted", self.sid, track=sid, cid=cid, mid="7", mime_type=mime_type, simulcast=False
        )
        return sid


class Meeting:
    """Rooms over a fake core, with a clock that tests move."""

    def __init__(self, **settings: Any) -> None:
        self.now = START
        self.core = FakeCore()
        self.signals = RecordedSignals()
        self.timers = DeadlineQueue()
        self.webhooks: list[WebhookEvent] = []
        self.tokens = Tokens({KEY: SECRET}, lambda: self.now)
        self.rooms = LiveRooms(
            config=MediaConfig(keys={KEY: SECRET}, **settings),
            tokens=self.tokens,
            media=self.core,
            signals=self.signals,
            timers=self.timers,
            listener=self._record_webhook,
            node_id="ND_test",
        )
        self._numbers = itertools.count(1)

    def _record_webhook(
        self,
        event: str,
        *,
        room: RoomInfo,
        participant: ParticipantInfo | None = None,
        track: TrackInfo | None = None,
    ) -> None:
        self.webhooks.append(WebhookEvent(event=event, room=room, participant=participant, track=track))

    def join(
        self,
        identity: str,
        *,
        room: str = "room",
        connect: bool = True,
        auto_subscribe: bool = True,
        request: JoinRequest | None = None,
        claims: dict[str, Any] | None = None,
        is_dual: bool = False,
        **grants: Any,
    ) -> Guest:
        """Join with a token of these grants; with `connect`, media is connected too."""
        token = Claims(
            api_key=ApiKey(KEY),
            identity=Identity(identity),
            expires_at=self.now + 3600,
            video=VideoGrant(room=room, room_join=True, **grants),
        )
        if request is None:
            request = JoinRequest(
                client_info=ClientInfo(protocol=17),
                connection_settings=ConnectionSettings(auto_subscribe=auto_subscribe),
            )
        session = self.rooms.join(
            ParticipantSid(f"PA_{identity}{next(self._numbers)}"),
            replace(token, **(claims or {})),
            request,
            now=self.now,
            token_not_after=None,
            is_dual=is_dual,
        )
        guest = Guest(self, session)
        if connect:
            guest.connect()
        return guest

    def core_event(self, kind: str, peer: str = "", **fields: Any) -> None:
        """Report an event of the media core, by the name of its class."""
        self.rooms.handle_media_event(event(kind, peer, **fields), self.now)

    def advance(self, seconds: float) -> None:
        """Move the clock; what is due is run on time."""
        end = self.now + seconds
        while (at := self.timers.next_at()) is not None and at <= end:
            self.now = max(self.now, at)
            self.timers.run_due(self.now)
        self.now = end

    def webhook_names(self) -> list[str]:
        """Return the names of the webhooks so far."""
        return [str(event.event) for event in self.webhooks]
