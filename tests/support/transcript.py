"""A meeting on paper: people without sockets, a clock that is set by hand, and what each was told."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
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
from tertulia_sfu.rooms.live_rooms import LiveRooms
from tertulia_sfu.rooms.session import SignalSession
from tertulia_sfu.rooms.timers import DeadlineQueue
from tertulia_sfu.tokens import Claims, Tokens, VideoGrant

KEY, SECRET = "key", "a-secret-for-tests-only-0123456789abcdef"
START = 1_800_000_000.0


@dataclass
class RecordedLines:
    """Signalling lines that keep what was said."""

    told: dict[ParticipantSid, list[SignalResponse]] = field(default_factory=lambda: defaultdict(list))
    hung_up: list[ParticipantSid] = field(default_factory=list)

    def send(self, to: Sequence[ParticipantSid], message: SignalResponse) -> None:
        copy = SignalResponse.FromString(message.SerializeToString())
        for who in to:
            if who not in self.hung_up:
                self.told[who].append(copy)

    def close(self, who: ParticipantSid) -> None:
        self.hung_up.append(who)


@dataclass
class Guest:
    """One participant of a meeting on paper."""

    meeting: Meeting
    session: SignalSession
    _tracks: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def sid(self) -> ParticipantSid:
        return self.session.participant.sid

    @property
    def told(self) -> list[SignalResponse]:
        return self.meeting.lines.told[self.sid]

    def take(self) -> list[str]:
        """The kinds of messages since the last look."""
        kinds = [str(message.WhichOneof("message")) for message in self.told]
        self.told.clear()
        return kinds

    def last(self, kind: str) -> Any:
        """The newest message of this kind."""
        found = [message for message in self.told if message.WhichOneof("message") == kind]
        assert found, f"no {kind}; told: {[message.WhichOneof('message') for message in self.told]}"
        return getattr(found[-1], kind)

    def heard(self, kind: str) -> bool:
        return any(message.WhichOneof("message") == kind for message in self.told)

    def asks(self, **request: Any) -> None:
        """`>>` one signal request."""
        self.session.handle(SignalRequest(**request), self.meeting.now)

    def connects(self) -> None:
        """Media is up, and so are the data channels."""
        self.meeting.happens("PeerConnected", self.sid)
        for channel in ("reliable", "lossy"):
            self.meeting.happens("DataOpen", self.sid, channel=channel)

    def publishes(
        self, source: TrackSource = TrackSource.CAMERA, *, kind: TrackType = TrackType.VIDEO, **request: Any
    ) -> str:
        """Add a track whose first packet comes at once; its sid."""
        cid = f"cid-{self.sid}-{next(self._tracks)}"
        self.asks(add_track=AddTrackRequest(cid=cid, type=kind, source=source, **request))
        sid = str(self.last("track_published").track.sid)
        mime_type = "video/VP8" if kind == TrackType.VIDEO else "audio/opus"
        self.meeting.happens(
            "TrackStarted", self.sid, track=sid, cid=cid, mid="7", mime_type=mime_type, simulcast=False
        )
        return sid


class Meeting:
    """Rooms over a fake core."""

    def __init__(self, **settings: Any) -> None:
        self.now = START
        self.core = FakeCore()
        self.lines = RecordedLines()
        self.timers = DeadlineQueue()
        self.webhooks: list[WebhookEvent] = []
        self.tokens = Tokens({KEY: SECRET}, lambda: self.now)
        self.rooms = LiveRooms(
            config=MediaConfig(keys={KEY: SECRET}, **settings),
            tokens=self.tokens,
            media=self.core,
            signals=self.lines,
            timers=self.timers,
            notices=self._notice,
            node_id="ND_test",
        )
        self._numbers = itertools.count(1)

    def _notice(
        self,
        event: str,
        *,
        room: RoomInfo,
        participant: ParticipantInfo | None = None,
        track: TrackInfo | None = None,
    ) -> None:
        self.webhooks.append(WebhookEvent(event=event, room=room, participant=participant, track=track))

    def enters(
        self,
        identity: str,
        *,
        room: str = "room",
        connect: bool = True,
        auto_subscribe: bool = True,
        request: JoinRequest | None = None,
        claims: dict[str, Any] | None = None,
        **grants: Any,
    ) -> Guest:
        """Somebody joins with a token of these grants."""
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
        )
        guest = Guest(self, session)
        if connect:
            guest.connects()
        return guest

    def happens(self, kind: str, peer: str = "", **fields: Any) -> None:
        """The core tells of something."""
        self.rooms.media_event(event(kind, peer, **fields), self.now)

    def passes(self, seconds: float) -> None:
        """Time passes, and what is due happens on time."""
        end = self.now + seconds
        while (at := self.timers.next_at()) is not None and at <= end:
            self.now = max(self.now, at)
            self.timers.run_due(self.now)
        self.now = end

    def hooks(self) -> list[str]:
        """The names of the webhooks so far."""
        return [str(event.event) for event in self.webhooks]
