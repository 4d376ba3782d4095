"""The product's services over a real store on SQLite, with a clock and a media server that a test controls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tertulia.adapters.sql.store import SqlStore
from tertulia.domain.access import Grants, Role, grants_for
from tertulia.domain.ids import Identity, MeetingId, Millis, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.domain.rooms import Room
from tertulia.errors import Unavailable
from tertulia.services.admission import AdmissionService
from tertulia.services.events import EventLog
from tertulia.services.idempotency import LIFETIME_MS
from tertulia.services.meetings import MeetingService
from tertulia.services.participants import ParticipantAuth, ParticipantService, TokenRequest
from tertulia.services.rooms import RoomOptions, RoomService
from tertulia.services.tokens import ParticipantTokens

ALICE = Identity("Alice")


@dataclass
class ManualClock:
    """Time passes when the test says so."""

    now: int = 1_800_000_000_000

    def now_ms(self) -> Millis:
        return Millis(self.now)


@dataclass
class MediaServerInMemory:
    """The media server's state: who is connected, and what happens just before it applies a change."""

    connected: dict[RoomName, dict[Identity, LiveParticipant]] = field(default_factory=dict)
    before_change: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    is_away: bool = False
    stopped_recorders: list[tuple[Identity, float]] = field(default_factory=list)
    held_before: dict[RoomName, int] = field(default_factory=dict)
    """How many meetings of a room have ended."""
    sent: list[tuple[RoomName, str, dict[str, object], tuple[Identity, ...]]] = field(default_factory=list)

    def _room(self, room: RoomName) -> dict[Identity, LiveParticipant]:
        if self.is_away:
            raise Unavailable("media_unavailable", "away")
        return self.connected.setdefault(room, {})

    async def check(self) -> None:
        if self.is_away:
            raise Unavailable("media_unavailable", "away")

    async def rooms(self, names: Sequence[RoomName] = ()) -> list[RoomName]:
        await self.check()
        running = [room for room, participants in self.connected.items() if participants]
        return [room for room in running if not names or room in names]

    async def meetings(self, names: Sequence[RoomName] = ()) -> dict[RoomName, MeetingId]:
        return {room: MeetingId(f"RM_{self.held_before.get(room, 0)}") for room in await self.rooms(names)}

    async def participant_counts(self, names: Sequence[RoomName] = ()) -> dict[RoomName, int]:
        await self.check()
        return {
            room: sum(not each.hidden for each in self.connected[room].values()) for room in await self.rooms(names)
        }

    async def participants(self, room: RoomName) -> list[LiveParticipant]:
        return list(self._room(room).values())

    async def participant(self, room: RoomName, identity: Identity) -> LiveParticipant | None:
        return self._room(room).get(identity)

    async def remove(self, room: RoomName, identity: Identity) -> bool:
        return self._room(room).pop(identity, None) is not None

    async def end(self, room: RoomName) -> None:
        self._room(room).clear()
        self.held_before[room] = self.held_before.get(room, 0) + 1

    async def set_role(self, room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        if self.before_change:
            await self.before_change.pop()()
        current = self._room(room)[participant.identity]
        self._room(room)[participant.identity] = replace(current, role=role, grants=grants)

    async def mute(self, room: RoomName, participant: LiveParticipant, *, source: str = "microphone") -> None:
        current = self._room(room)[participant.identity]
        muted = tuple(replace(each, muted=each.muted or each.source == source) for each in current.publications)
        self._room(room)[participant.identity] = replace(current, publications=muted)

    async def stop_recorder(self, room: RoomName, identity: Identity, *, age_s: float) -> None:
        if identity in self._room(room):
            self.stopped_recorders.append((identity, age_s))

    async def set_hand(self, room: RoomName, participant: LiveParticipant, raised_at_ms: Millis | None) -> None:
        current = self._room(room)[participant.identity]
        self._room(room)[participant.identity] = replace(current, hand_raised_at_ms=raised_at_ms)

    async def send(
        self, room: RoomName, topic: str, message: Mapping[str, object], to: Sequence[Identity] = ()
    ) -> None:
        self._room(room)
        self.sent.append((room, topic, dict(message), tuple(to)))


class Installation:
    """The services, and one room that does not expire during a test unless the test lets it."""

    room: Room

    def __init__(self, store: SqlStore) -> None:
        self.store, self.clock, self.media = store, ManualClock(), MediaServerInMemory()
        self.tokens = ParticipantTokens(api_key="key", api_secret="secret" * 8, media_url="ws://x")
        parts = {"store": store, "clock": self.clock, "media": self.media}
        self.admission = AdmissionService(**parts)
        self.events = EventLog(store)
        self.participants = ParticipantService(
            **parts, admission=self.admission, tokens=self.tokens, auth=lambda: ParticipantAuth.NONE, events=self.events
        )
        self.rooms = RoomService(**parts, rules=self.admission)
        self.meetings = MeetingService(
            **parts, participants=self.participants, admission=self.admission, events=self.events
        )

    async def create_room(self, lifetime_ms: int = 10 * LIFETIME_MS) -> Room:
        return await self.rooms.create(RoomOptions(expires_at_ms=Millis(self.clock.now + lifetime_ms)))

    @property
    def alice(self) -> LiveParticipant | None:
        """Alice as the media server knows her."""
        return self.media.connected.get(self.room.name, {}).get(ALICE)

    def request(
        self, *, presented: str | None = None, secret: str | None = None, lobby_ticket: str | None = None
    ) -> TokenRequest:
        """Alice's request for a token, with a token of hers in a cookie or without one."""
        return TokenRequest(
            room=self.room.name,
            identity=ALICE,
            secret=self.room.secrets.publisher if secret is None else secret,
            lobby_ticket=lobby_ticket,
            presented_token=None if presented is None else self.tokens.read(presented),
        )

    def join(self, token: str) -> LiveParticipant:
        """Connect with a token, a moment after it was issued."""
        self.clock.now += 100
        claims = self.tokens.read(token)
        assert claims is not None
        participant = LiveParticipant(
            identity=claims.identity,
            name=claims.identity,
            joined_at_ms=self.clock.now_ms(),
            role=claims.role,
            grants=grants_for(claims.role, chat_enabled=True),
            hidden=False,
            issued_at_ms=claims.issued_at_ms,
        )
        self.put(participant)
        self.clock.now += 100
        return participant

    def put(self, participant: LiveParticipant) -> None:
        """Let the media server have a participant, in place of one with the same identity."""
        self.media.connected.setdefault(self.room.name, {})[participant.identity] = participant

    def leave(self, participant: LiveParticipant) -> None:
        """Disconnect, without an event."""
        del self.media.connected[self.room.name][participant.identity]
