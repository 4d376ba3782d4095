"""Meetings that run: events of the media server, and the jobs that make up for lost ones.

Every event is handled so that any order, repetition or loss of events leads to the same state.
"""

from __future__ import annotations

from typing import Final

from tertulia.domain.events import EventKind, participant_event, room_event
from tertulia.domain.ids import MeetingId, Millis, RoomName
from tertulia.domain.lobby import LOBBY_IDLE_MS
from tertulia.domain.participants import MEMBERSHIP_IDLE_MS, LiveParticipant
from tertulia.domain.rooms import could_be_room_name
from tertulia.services.admission import AdmissionService
from tertulia.services.events import EventLog
from tertulia.services.expiry import ExpiredRooms
from tertulia.services.participants import ParticipantService
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction

_MEMBERSHIPS_AT_ONCE: Final = 1000


class MeetingService:
    """Keeps the media server in step with the store."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        media: MediaServerClient,
        participants: ParticipantService,
        admission: AdmissionService,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._expired = ExpiredRooms(store=store, clock=clock, media=media)
        self._participants = participants
        self._admission = admission
        self._events = events

    async def participant_joined(self, room: RoomName, participant: LiveParticipant) -> None:
        """Enforce what a token alone cannot hold, on a media server without our join policy."""
        self._note(EventKind.PARTICIPANT_JOINED, room, participant)
        await self._admission.enforce_reported(room, participant)

    def participant_changed(self, room: RoomName, participant: LiveParticipant) -> None:
        """Tell administrators that a participant publishes something else now."""
        self._note(EventKind.PARTICIPANT_CHANGED, room, participant)

    def meeting_started(self, room: RoomName) -> None:
        """Tell administrators that a meeting has begun."""
        self._events.note(room_event(EventKind.MEETING_STARTED, room))

    def meeting_ended(self, room: RoomName) -> None:
        """Tell administrators that the last participant has left, or the meeting was ended."""
        self._events.note(room_event(EventKind.MEETING_ENDED, room))

    def _note(self, kind: EventKind, room: RoomName, participant: LiveParticipant) -> None:
        if not participant.hidden:
            self._events.note(participant_event(kind, room, participant.identity, role=participant.role))

    async def participant_left(self, room: RoomName, participant: LiveParticipant) -> None:
        """Release the identity of a participant that has left."""
        self._note(EventKind.PARTICIPANT_LEFT, room, participant)
        await self._participants.left(room, participant)

    async def chat_ended(self, room: RoomName, meeting: MeetingId) -> None:
        """Delete the chat of a meeting that has ended."""
        if not could_be_room_name(room):
            return
        if await self._store.read(lambda tx: tx.chat.of_meeting(room, meeting)):
            await self._store.write(lambda tx: tx.chat.delete(room, meeting))

    async def reconcile(self) -> None:
        """Enforce the current rules in every running meeting, and delete the chats of those that have ended."""
        chats = await self._store.read(lambda tx: tx.chat.meetings())
        running = await self._media.meetings()
        for room, meeting in chats:
            if running.get(room) != meeting:
                await self.chat_ended(room, meeting)
        for room in running:
            await self._admission.enforce(room)

    async def close_expired_rooms(self) -> None:
        """End the meetings of rooms that have just expired. Called several times a second. Raises Unavailable."""
        await self._expired.close_new()

    async def retry_expired_rooms(self) -> None:
        """End the meetings of expired rooms that could not be ended at once. Raises Unavailable."""
        await self._expired.retry()

    async def delete_expired_rows(self) -> None:
        """Delete what decides nothing any more: expired logins and idempotency keys, idle memberships."""
        now_ms = self._clock.now_ms()

        def work(tx: Transaction) -> None:
            tx.accounts.delete_expired_sessions(now_ms=now_ms)
            tx.idempotency.delete_expired(now_ms=now_ms)
            tx.lobby.delete_idle(older_than_ms=Millis(now_ms - LOBBY_IDLE_MS))
            older_than_ms = Millis(now_ms - MEMBERSHIP_IDLE_MS)
            tx.memberships.delete_idle(now_ms=now_ms, older_than_ms=older_than_ms, limit=_MEMBERSHIPS_AT_ONCE)

        await self._store.write(work)
