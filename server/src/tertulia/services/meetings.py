"""What happens in meetings, as the media server reports it, and the reconciler that makes up for lost reports.

Every report is handled so that any order, repetition or loss of reports leads to the same state.
"""

from __future__ import annotations

from tertulia.domain.ids import Millis, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.services.participants import ParticipantService
from tertulia.services.ports import Clock, MediaServerClient, Store, Transaction
from tertulia.services.rooms import RoomService


class MeetingService:
    """Keeps the store and the media server of one mind."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        media: MediaServerClient,
        rooms: RoomService,
        participants: ParticipantService,
    ) -> None:
        self._store = store
        self._clock = clock
        self._media = media
        self._rooms = rooms
        self._participants = participants

    async def joined(self, room: RoomName, participant: LiveParticipant) -> None:
        """Enforce what a token alone cannot hold, on a media server without our door."""
        await self._participants.settle_reported(room, participant)

    async def left(self, room: RoomName, participant: LiveParticipant) -> None:
        """Free the name of somebody who has gone."""
        await self._participants.left(room, participant)

    async def reconcile(self) -> None:
        """Compare every live meeting of ours with what holds now, and mend the difference."""
        for room in await self._media.rooms():
            await self._participants.settle(room)

    async def expire(self) -> None:
        """End the meetings of rooms whose time is over. Called every fraction of a second."""
        await self._rooms.close_expired()

    async def forget(self) -> None:
        """Drop what decides nothing any more: old sessions, old idempotency keys, names that nobody holds."""
        now_ms = self._clock.now_ms()
        longest_token_ms = 24 * 3600 * 1000

        def work(tx: Transaction) -> None:
            tx.accounts.forget_expired(now_ms=now_ms)
            tx.idempotency.forget_expired(now_ms=now_ms)
            tx.seats.forget_idle(now_ms=now_ms, older_than_ms=Millis(now_ms - longest_token_ms), limit=1000)

        await self._store.write(work)
