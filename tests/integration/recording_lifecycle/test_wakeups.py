"""Start and stop inside one process: wake-ups alone carry them, since no poll comes within the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.media_server_process import KEY, SECRET, MediaServerProcess
from support.offline_installation import OfflineInstallation, now_ms, offline_installation
from support.publisher import Publisher, in_meeting
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.media_server import LiveKitClient
from tertulia.domain.ids import LATEST, RoomName
from tertulia.domain.recordings.recording import RecordingState
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.errors import Conflict
from tertulia.services.recordings.service import RecordingService
from tertulia.services.tokens import RecorderTokens

ROOM = RoomName("room")
START_TIMEOUT_S = 40.0


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[MediaServerProcess]:
    server = MediaServerProcess("tertulia", log=tmp_path / "media.log")
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[OfflineInstallation]:
    async with offline_installation(tmp_path, f"sqlite:///{tmp_path / 'x.db'}") as opened:
        await opened.store.write(
            lambda tx: tx.rooms.insert(
                Room(ROOM, None, now_ms(), LATEST, None, RoomPreferences(), RoleSecrets("m", "p", "v"))
            )
        )
        yield opened


@pytest.fixture(autouse=True)
def no_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("service", "supervisor", "worker"):
        monkeypatch.setattr(f"tertulia.services.recordings.{module}._POLL_S", 10 * START_TIMEOUT_S)


@pytest.fixture
async def recordings(installation: OfflineInstallation, media: MediaServerProcess) -> AsyncIterator[RecordingService]:
    async with LiveKitClient(media.url.replace("ws", "http", 1), api_key=KEY, api_secret=SECRET) as client:
        yield RecordingService(
            store=installation.store,
            clock=SystemClock(),
            media=client,
            files=installation.files,
            changes=installation.changes,
            start_timeout_s=START_TIMEOUT_S,
            claim_timeout_s=START_TIMEOUT_S,
        )


@pytest.fixture
async def worker(installation: OfflineInstallation, media: MediaServerProcess) -> AsyncIterator[None]:
    """Run a worker for one recording at a time."""
    parts = installation.dependencies()
    tokens, rules = RecorderTokens(api_key=KEY, api_secret=SECRET), replace(parts.rules, media_url=media.url)
    async with installation.working(replace(parts, tokens=tokens, rules=rules, capacity=1)):
        yield


@pytest.mark.usefixtures("worker")
async def test_start_stop_and_start_again(
    installation: OfflineInstallation, media: MediaServerProcess, recordings: RecordingService
) -> None:
    async with asyncio.timeout(3 * START_TIMEOUT_S), in_meeting(Publisher(media, ROOM, "Ann")):
        for _ in range(2):  # the second start waits for the capacity that the first recording occupies
            started = await recordings.start(ROOM)
            assert started.state is RecordingState.ACTIVE
            await recordings.stop(started.id)
        ended = await installation.row_when(started, lambda row: not row.is_running)
        assert ended.state is RecordingState.COMPLETE


@pytest.mark.usefixtures("worker")
async def test_a_start_that_is_stopped_answers(
    installation: OfflineInstallation, media: MediaServerProcess, recordings: RecordingService
) -> None:
    async with asyncio.timeout(START_TIMEOUT_S), in_meeting(Publisher(media, ROOM, "Ann")):
        starting = asyncio.ensure_future(recordings.start(ROOM))
        while not (rows := await recordings.page(room=ROOM, limit=1)):
            await asyncio.sleep(0.01)
        await recordings.stop(rows[0].id)
        with pytest.raises(Conflict, match="stopped"):
            await starting
        ended = await installation.row_when(rows[0], lambda row: not row.is_running)
        assert ended.state is RecordingState.ABORTED


async def test_a_start_that_is_stopped_before_its_claim_answers(
    media: MediaServerProcess, recordings: RecordingService
) -> None:
    async with asyncio.timeout(START_TIMEOUT_S), in_meeting(Publisher(media, ROOM, "Ann")):
        starting = asyncio.ensure_future(recordings.start(ROOM))
        while not (rows := await recordings.page(room=ROOM, limit=1)):
            await asyncio.sleep(0.01)
        await recordings.stop(rows[0].id)
        with pytest.raises(Conflict, match="stopped"):
            await starting
    assert (await recordings.get(rows[0].id)).state is RecordingState.ABORTED
