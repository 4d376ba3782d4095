"""Reports in any order, and changes at the same time, lead to what the store says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tertulia.adapters.sql.store import open_store
from tertulia.domain.access import Grants, Role, grants_for
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import RESERVATION_MS, LiveParticipant
from tertulia.domain.rooms import PreferencesChange, Room
from tertulia.errors import Conflict, NotFound, TooManyRequests
from tertulia.services.idempotency import LIFETIME_MS
from tertulia.services.meetings import MeetingService
from tertulia.services.participants import ParticipantAuth, ParticipantService, TokenRequest
from tertulia.services.ports import IdempotencyKey
from tertulia.services.rooms import RoomOptions, RoomService
from tertulia.services.tokens import ParticipantTokens

ALICE = Identity("Alice")
CHAT_ON, CHAT_OFF = PreferencesChange(chat_enabled=True), PreferencesChange(chat_enabled=False)


@dataclass
class Clock:
    now: int = 1_800_000_000_000

    def now_ms(self) -> Millis:
        return Millis(self.now)


@dataclass
class Meeting:
    """The media server's side: who is in, and what happens in the moment before it takes a change."""

    people: dict[Identity, LiveParticipant] = field(default_factory=dict)
    before_change: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    async def rooms(self) -> list[RoomName]:
        return []

    async def participants(self, _room: RoomName) -> list[LiveParticipant]:
        return list(self.people.values())

    async def participant(self, _room: RoomName, identity: Identity) -> LiveParticipant | None:
        return self.people.get(identity)

    async def remove(self, _room: RoomName, identity: Identity) -> bool:
        return self.people.pop(identity, None) is not None

    async def end(self, _room: RoomName) -> None:
        self.people.clear()

    async def set_role(self, _room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        if self.before_change:
            await self.before_change.pop()()
        current = self.people[participant.identity]
        self.people[participant.identity] = replace(current, role=role, grants=grants)


@dataclass
class Parts:
    clock: Clock
    media: Meeting
    tokens: ParticipantTokens
    rooms: RoomService
    participants: ParticipantService
    meetings: MeetingService
    room: Room

    def request(self, *, shown: str | None = None) -> TokenRequest:
        return TokenRequest(
            room=self.room.name,
            identity=ALICE,
            secret=self.room.secrets.publisher,
            shown=None if shown is None else self.tokens.read(shown),
        )

    def join(self, token: str) -> LiveParticipant:
        """Somebody comes in with a token, a moment after it was given."""
        self.clock.now += 100
        read = self.tokens.read(token)
        assert read is not None
        came = LiveParticipant(
            identity=read.identity,
            name=read.identity,
            joined_at_ms=self.clock.now_ms(),
            role=read.role,
            grants=grants_for(read.role, chat_enabled=True),
            hidden=False,
            issued_at_ms=read.issued_at_ms,
        )
        self.media.people[came.identity] = came
        self.clock.now += 100
        return came


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    clock, media = Clock(), Meeting()
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    tokens = ParticipantTokens(api_key="key", api_secret="secret" * 8, media_url="ws://x")
    people = ParticipantService(store=store, clock=clock, media=media, tokens=tokens, auth=ParticipantAuth.NONE)
    rooms = RoomService(store=store, clock=clock, media=media, live=people)
    meetings = MeetingService(store=store, clock=clock, media=media, rooms=rooms, participants=people)
    room = await rooms.create(RoomOptions(expires_at_ms=Millis(clock.now + 10 * LIFETIME_MS)))
    yield Parts(clock, media, tokens, rooms, people, meetings, room)
    await store.close()


async def test_late_report_of_a_join_that_is_over(parts: Parts):
    """Who was disconnected and came back with a new token stays, whatever is reported of the time before."""
    first = parts.join(await parts.participants.token(parts.request()))
    await parts.participants.disconnect(parts.room.name, ALICE)
    second = parts.join(await parts.participants.token(parts.request()))
    await parts.meetings.joined(parts.room.name, first)
    assert parts.media.people[ALICE] == second
    parts.media.people[ALICE] = first  # and the dead token itself is no way in
    await parts.meetings.joined(parts.room.name, first)
    assert ALICE not in parts.media.people


async def test_late_report_of_a_leave(parts: Parts):
    """A page that reloads gets its new token before its old connection is reported gone: the name stays its own."""
    token = await parts.participants.token_if_free(parts.request())
    old = parts.join(token)
    await parts.participants.token_if_free(parts.request(shown=token))
    del parts.media.people[ALICE]
    await parts.meetings.left(parts.room.name, old)
    with pytest.raises(Conflict, match="already exists"):
        await parts.participants.token_if_free(parts.request())
    parts.clock.now += RESERVATION_MS
    await parts.participants.token_if_free(parts.request())


async def test_leaving_frees_the_name(parts: Parts):
    came = parts.join(await parts.participants.token_if_free(parts.request()))
    del parts.media.people[ALICE]
    await parts.meetings.left(parts.room.name, came)
    await parts.participants.token_if_free(parts.request())


async def test_chat_switched_off_and_on_at_once(parts: Parts):
    """Of two changes at the same time the meeting follows the one that the room keeps."""
    parts.join(await parts.participants.token(parts.request()))
    parts.media.before_change.append(lambda: parts.rooms.update(parts.room.name, CHAT_ON))
    await parts.rooms.update(parts.room.name, CHAT_OFF)
    assert (await parts.rooms.get(parts.room.name)).preferences.chat_enabled
    assert parts.media.people[ALICE].grants.can_publish_data


async def test_chat_switched_off_while_a_role_changes(parts: Parts):
    parts.join(await parts.participants.token(parts.request()))
    parts.media.before_change.append(lambda: parts.rooms.update(parts.room.name, CHAT_OFF))
    await parts.participants.change_role(parts.room.name, ALICE, Role.MODERATOR)
    assert parts.media.people[ALICE].role is Role.MODERATOR
    assert not parts.media.people[ALICE].grants.can_publish_data


async def test_role_changes_while_chat_is_switched_off(parts: Parts):
    parts.join(await parts.participants.token(parts.request()))
    parts.media.before_change.append(lambda: parts.participants.change_role(parts.room.name, ALICE, Role.VIEWER))
    await parts.rooms.update(parts.room.name, CHAT_OFF)
    assert parts.media.people[ALICE].role is Role.VIEWER
    assert parts.media.people[ALICE].grants == grants_for(Role.VIEWER, chat_enabled=False)


async def test_a_recorder_is_nobody_to_disconnect(parts: Parts):
    came = parts.join(await parts.participants.token(parts.request()))
    parts.media.people[ALICE] = replace(came, role=None, hidden=True)
    with pytest.raises(NotFound):
        await parts.participants.disconnect(parts.room.name, ALICE)
    assert ALICE in parts.media.people


async def test_guesses_at_once(parts: Parts):
    """Wrong secrets at the token paths: 30 failures a minute and address, however many come at the same time."""
    wrong = replace(parts.request(), secret="wrong")
    answers = await asyncio.gather(*(parts.participants.token(wrong) for _ in range(80)), return_exceptions=True)
    assert sum(isinstance(answer, NotFound) for answer in answers) == 30
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 50


async def test_idempotency_key_of_yesterday(parts: Parts):
    """A key counts for a day, also when nobody has cleared away yet."""
    options = RoomOptions(expires_at_ms=Millis(parts.clock.now + 20 * LIFETIME_MS))
    once = IdempotencyKey(scope="s", key="k", fingerprint="f")
    first = await parts.rooms.create(options, once=once)
    assert await parts.rooms.create(options, once=once) == first
    parts.clock.now += LIFETIME_MS + 1
    assert await parts.rooms.create(options, once=once) != first
