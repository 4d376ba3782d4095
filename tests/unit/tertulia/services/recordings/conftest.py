"""An installation on SQLite, with recorders in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_recorders import MemoryRecorders, add_room, worker_context
from support.offline_installation import OfflineInstallation, offline_installation
from tertulia.adapters.clock import SystemClock
from tertulia.domain.ids import RoomName
from tertulia.services.recordings.context import WorkerContext


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[OfflineInstallation]:
    async with offline_installation(tmp_path, f"sqlite:///{tmp_path / 'x.db'}") as opened:
        yield opened


@pytest.fixture
async def room(installation: OfflineInstallation) -> RoomName:
    return await add_room(installation)


@pytest.fixture
def recorders(installation: OfflineInstallation) -> MemoryRecorders:
    return MemoryRecorders(installation.root, installation.changes)


@pytest.fixture
def context(installation: OfflineInstallation, recorders: MemoryRecorders) -> WorkerContext:
    return worker_context(installation, recorders, SystemClock())
