"""Deletion is whole: the stored file, and the folder of a worker that was away; nothing that comes late undoes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from support import crash_states
from support.offline_installation import OfflineInstallation, offline_installation
from tertulia.adapters.clock import SystemClock
from tertulia.domain.ids import RecordingId
from tertulia.domain.recordings.outcomes import RecordingFault
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.errors import Unavailable
from tertulia.services.ports import MediaServerClient
from tertulia.services.recordings.context import WorkerContext
from tertulia.services.recordings.lost import LostRecordings
from tertulia.services.recordings.service import RecordingService
from tertulia.services.recordings.supervisor import RecordingSupervisor
from tertulia_recorder.job import RecorderState

FAILED = RecordingState.FAILED
LOST_MACHINE = {"error": "Its machine was away.", "error_code": int(RecordingFault.MACHINE_LOST)}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def installation(database_url: str, tmp_path: Path, store: Path) -> AsyncIterator[OfflineInstallation]:
    """A worker whose files are kept elsewhere."""
    async with offline_installation(tmp_path, database_url, recordings_url=str(store)) as opened:
        yield opened


def service(installation: OfflineInstallation) -> RecordingService:
    return RecordingService(
        store=installation.store,
        clock=SystemClock(),
        media=cast("MediaServerClient", None),
        files=installation.files,
        changes=installation.changes,
    )


def context(installation: OfflineInstallation, **changes: Any) -> WorkerContext:
    made = installation.dependencies().context(installation.owner)
    return WorkerContext(**({name: getattr(made, name) for name in WorkerContext.__slots__} | changes))


async def is_gone(installation: OfflineInstallation, store: Path, row: Recording) -> bool:
    found = await installation.store.read(lambda tx: tx.recordings.find(row.id))
    lost = await LostRecordings(context(installation)).find()
    return found is None and lost == [] and not installation.folder(row).exists() and not (store / row.id).exists()


async def test_a_worker_that_was_away_deletes_its_folder_when_it_comes_back(
    installation: OfflineInstallation, store: Path
) -> None:
    row = await installation.add_row(FAILED, **LOST_MACHINE)
    crash_states.recording(installation, row)
    await service(installation).delete(row.id)
    assert installation.folder(row).exists()
    await installation.finish()
    assert await is_gone(installation, store, row)


async def test_a_film_that_cannot_be_repaired_is_deleted_too(installation: OfflineInstallation, store: Path) -> None:
    row = await installation.add_row(FAILED, **LOST_MACHINE)
    crash_states.recording(installation, row)
    (installation.folder(row) / "job.json").write_text("not a job")
    await service(installation).delete(row.id)
    await installation.finish()
    assert await is_gone(installation, store, row)


async def test_what_a_copy_that_was_cut_off_left_in_the_store(installation: OfflineInstallation, store: Path) -> None:
    row = await installation.add_row(RecordingState.COMPLETE)
    (store / row.id).mkdir(parents=True)
    (store / row.id / row.filename).write_bytes(b"film")
    (store / row.id / f".{row.filename}.5-5.part").write_bytes(b"fil")
    await service(installation).delete(row.id)
    assert await is_gone(installation, store, row)


@dataclass
class SlowStore:
    """Files whose store takes so long that something else happens before it confirms."""

    installation: OfflineInstallation
    meanwhile: Callable[[], Awaitable[None]]
    is_checked: bool = True
    stored: list[str] = field(default_factory=list)

    async def keep(self, path: str, source: Path, *, before_part: Callable[[], Awaitable[None]]) -> bool:
        async def unchecked() -> None:
            pass

        if self.is_checked:
            await self.meanwhile()
        kept = await self.installation.files.keep(
            path, source, before_part=before_part if self.is_checked else unchecked
        )
        self.stored.append(path)
        if not self.is_checked:
            await self.meanwhile()
        return kept

    async def delete(self, path: str) -> None:
        await self.installation.files.delete(path)


@pytest.mark.parametrize("is_checked", [True, False])
async def test_an_upload_that_the_deletion_overtakes(
    installation: OfflineInstallation, store: Path, is_checked: bool
) -> None:
    """Between two parts the upload ends; after the last one, what it has stored is deleted again."""
    row = await installation.add_row(FAILED, **LOST_MACHINE)
    crash_states.done(installation, row)

    async def delete() -> None:
        await service(installation).delete_many([row.id])

    files = SlowStore(installation, delete, is_checked=is_checked)
    await RecordingSupervisor(context(installation, files=files), row.id, row.lease).supervise()
    assert bool(files.stored) is not is_checked
    assert await is_gone(installation, store, row)


async def test_a_late_index_does_not_bring_a_deleted_recording_back(
    installation: OfflineInstallation, store: Path
) -> None:
    row = await installation.add_row(RecordingState.LIMITED_REACHED)
    crash_states.done(installation, row)
    recorders = installation.dependencies().context(installation.owner).recorders

    class DeletedMeanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(recorders, name)

        async def recover(self, recording_id: RecordingId) -> RecorderState | None:
            await service(installation).delete(row.id)
            return await recorders.recover(recording_id)

    await RecordingSupervisor(context(installation, recorders=DeletedMeanwhile()), row.id, None).write_index(row)
    assert await is_gone(installation, store, row)


async def test_a_store_that_is_down_is_asked_again(installation: OfflineInstallation, store: Path) -> None:
    """The local folder goes last: it is what the next round finds."""
    row = await installation.add_row(FAILED, **LOST_MACHINE)
    crash_states.done(installation, row)
    await service(installation).delete(row.id)

    class Down(SlowStore):
        async def delete(self, path: str) -> None:
            raise Unavailable("recordings_unavailable", path)

    async def nothing() -> None:
        pass

    down = context(installation, files=Down(installation, nothing))
    with pytest.raises(Unavailable):
        await RecordingSupervisor(down, row.id, None).supervise()
    assert installation.folder(row).exists()
    await installation.finish()
    assert await is_gone(installation, store, row)
