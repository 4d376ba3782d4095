"""The figures of an installation, also while a part is away."""

from __future__ import annotations

from pathlib import Path

from support.services import Installation
from tertulia.adapters.disk import FolderDisk
from tertulia.services.readiness import PartState, ReadinessService
from tertulia.services.status import StatusService


def service(inst: Installation, folder: Path) -> StatusService:
    disk = FolderDisk(folder)
    readiness = ReadinessService(store=inst.store, media=inst.media, disk=disk, low_below_bytes=0)
    return StatusService(store=inst.store, media=inst.media, disk=disk, readiness=readiness)


async def test_figures(inst: Installation, tmp_path: Path):
    inst.join(await inst.participants.token(inst.request()))
    found = await service(inst, tmp_path).look()
    assert (found.rooms, found.participants, found.recordings, found.waiting_recordings) == (1, 1, 0, 0)
    assert found.free_bytes is not None
    assert found.total_bytes is not None
    assert 0 < found.free_bytes < found.total_bytes


async def test_without_the_media_server(inst: Installation, tmp_path: Path):
    inst.media.is_away = True
    found = await service(inst, tmp_path).look()
    assert (found.rooms, found.participants, found.readiness.media) == (None, None, PartState.UNAVAILABLE)
    assert found.recordings == 0
