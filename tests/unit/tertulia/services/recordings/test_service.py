"""Starts that no worker carries to their end. The rest of the service is tested over HTTP (tests/integration)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.offline_installation import OfflineInstallation, now_ms
from tertulia.adapters.clock import SystemClock
from tertulia.domain.access import Grants
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.domain.recordings.outcomes import RecordingFault
from tertulia.domain.recordings.recording import RUNNING, Recording, RecordingState
from tertulia.errors import Conflict, Unavailable
from tertulia.services.ports import IdempotencyKey
from tertulia.services.recordings import service
from tertulia.services.recordings.service import RecordingService, file_path

KEY = IdempotencyKey("scope", "key", "fingerprint")
NEVER_S = 600.0


class OneParticipant:
    """A media server with one participant in every room."""

    def __init__(self, *, is_hidden: bool = False) -> None:
        grants = Grants(can_publish=True, can_subscribe=True, can_publish_data=True)
        self._participant = LiveParticipant(Identity("Ann"), "Ann", Millis(0), None, grants, is_hidden)

    async def participants(self, _room: RoomName) -> list[LiveParticipant]:
        return [self._participant]


def made(installation: OfflineInstallation, *, is_hidden: bool = False, **timeouts: float) -> RecordingService:
    return RecordingService(
        store=installation.store,
        clock=SystemClock(),
        media=OneParticipant(is_hidden=is_hidden),
        files=installation.files,
        changes=installation.changes,
        **timeouts,
    )


async def newest(installation: OfflineInstallation) -> Recording | None:
    rows = await installation.store.read(lambda tx: tx.recordings.page(room=None, limit=1, after=None))
    return next(iter(rows), None)


async def test_no_worker_claims_it(installation: OfflineInstallation, room: RoomName) -> None:
    """It was not created then: neither its row nor the key of its request is left."""
    with pytest.raises(Unavailable) as refused:
        await made(installation, claim_timeout_s=0.0).start(room, idempotency_key=KEY)
    assert refused.value.code == "recorders_busy"
    assert await newest(installation) is None
    assert await installation.store.read(lambda tx: tx.idempotency.find(KEY, now_ms=now_ms())) is None


async def test_no_media_in_time(
    installation: OfflineInstallation, room: RoomName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_POLL_S", 0.01)
    starting = asyncio.ensure_future(made(installation, start_timeout_s=0.3, claim_timeout_s=NEVER_S).start(room))
    with installation.changes.watch_claimable() as claimable:
        await claimable.wait(NEVER_S)
    claimed = await installation.store.write(lambda tx: tx.recordings.claim(owner="worker", until_ms=now_ms()))
    assert claimed is not None
    with pytest.raises(Unavailable, match="No recorder began to write"):
        await starting
    row = await installation.row(claimed)
    assert (row.state, row.error_code) == (RecordingState.ABORTED, RecordingFault.NOT_STARTED)


@pytest.mark.parametrize("state", [RecordingState.ACTIVE, RecordingState.COMPLETE])
async def test_a_change_of_the_row_answers(
    installation: OfflineInstallation, room: RoomName, state: RecordingState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same key waits for the same recording, even if it is over already when the row is read."""
    monkeypatch.setattr(service, "_POLL_S", NEVER_S)
    recordings = made(installation, start_timeout_s=NEVER_S, claim_timeout_s=NEVER_S)
    starts = [asyncio.ensure_future(recordings.start(room, idempotency_key=KEY))]
    with installation.changes.watch_claimable() as claimable:
        await claimable.wait(NEVER_S)
    row = await newest(installation)
    assert row is not None
    starts.append(asyncio.ensure_future(recordings.start(room, idempotency_key=KEY)))
    changed = replace(row, state=state, lease_owner="worker")
    assert await installation.store.write(lambda tx: tx.recordings.update(changed, only_from=RUNNING))
    installation.changes.notify(row.id)
    async with asyncio.timeout(10):
        assert await asyncio.gather(*starts) == [changed, changed]


async def test_hidden_participants_are_not_recorded(installation: OfflineInstallation, room: RoomName) -> None:
    with pytest.raises(Conflict) as refused:
        await made(installation, is_hidden=True).start(room)
    assert refused.value.code == "room_empty"


async def test_a_file_has_a_folder_of_its_own() -> None:
    row = Recording(RecordingId("id"), RoomName("room"), "room--1.mp4", RecordingState.COMPLETE, Millis(0))
    assert file_path(row) == "id/room--1.mp4"
