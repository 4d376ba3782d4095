"""`tertulia recordings`: what an operator sees of recordings, and repairs, without a server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.app.installation import Installation, installation, opened_worker
from tertulia.cli.output import Listing, print_listing, watched
from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.recording import Recording
from tertulia.errors import ConfigurationError, recording_not_found
from tertulia.services.ports import Files
from tertulia.services.recordings.lost import LostRecording, LostRecordings
from tertulia.services.recordings.service import file_path
from tertulia.services.recordings.supervisor import cpu_per_second
from tertulia.services.recordings.worker import RecordingWorker
from tertulia.settings import Settings
from tertulia_recorder.job import STATE_FILE, RecorderState

_NEWEST: Final = 100
_COLUMNS: Final = ("ID", "STATE", "STARTED", "DURATION", "SIZE")


def list_recordings(settings: Settings, *, lost: bool, as_json: bool) -> None:
    """Print the newest recordings, or the lost ones of this machine."""
    if lost:
        print_listing(_lost_listing(asyncio.run(_lost(installation(settings)))), as_json=as_json)
        return
    found = asyncio.run(_newest(installation(settings)))
    listing = Listing(
        columns=_COLUMNS,
        rows=[
            (each.id, each.state, _when(each.started_at_ms), _duration(each.duration_s), _size(each.size_bytes))
            for each in found
        ],
        data=[recording_data(each) for each in found],
    )
    print_listing(listing, as_json=as_json)


def show_recording(settings: Settings, *, recording_id: str, as_json: bool) -> None:
    """Print a recording's row, and what its recorder measured. Raise NotFound when there is none."""
    recording, state = asyncio.run(_details(installation(settings), RecordingId(recording_id)))
    measured = None if state is None else recorder_data(state)
    rows = _recording_rows(recording) + ([] if state is None else _recorder_rows(state))
    print_listing(Listing(rows=rows, data=recording_data(recording) | {"recorder": measured}), as_json=as_json)


def repair_recordings(settings: Settings, *, as_json: bool) -> None:
    """Finish what crashes left, as every start does. Raise ConfigurationError while a server does that itself."""
    repaired = asyncio.run(_repair(installation(settings)))
    listing = Listing(
        rows=[(each.id, each.state, each.details or each.error or "") for each in repaired]
        or [("There was nothing to repair.",)],
        data=[recording_data(each) for each in repaired],
    )
    print_listing(listing, as_json=as_json)


def adopt_recording(settings: Settings, *, recording_id: str, as_json: bool) -> None:
    """Take a lost recording back, and finish it unless a server that runs does. Raise NotFound when it is not lost."""
    recording = asyncio.run(_adopt(installation(settings), recording_id))
    print_listing(Listing(rows=_recording_rows(recording), data=recording_data(recording)), as_json=as_json)


def recording_data(recording: Recording) -> dict[str, Any]:
    """Return a recording as JSON shows it to operators. Times are milliseconds since the epoch, sizes bytes."""
    return {
        "id": recording.id,
        "room": recording.room,
        "file": recording.filename,
        "state": recording.state,
        "created_at_ms": recording.created_at_ms,
        "started_at_ms": recording.started_at_ms,
        "ended_at_ms": recording.ended_at_ms,
        "duration_s": recording.duration_s,
        "size_bytes": recording.size_bytes,
        "details": recording.details,
        "error": recording.error,
        "error_code": recording.error_code,
        "worker": recording.lease_owner,
    }


def recorder_data(state: RecorderState) -> dict[str, Any]:
    """Return what a recorder measured as JSON shows it."""
    metrics = state.metrics
    return {
        "phase": state.phase,
        "pid": state.pid,
        "reason": state.reason,
        "frames_composed": metrics.frames_composed,
        "frames_late": metrics.frames_late,
        "audio_lost_s": metrics.audio_lost_s,
        "cpu_s_per_recorded_s": cpu_per_second(state),
        "max_memory_bytes": metrics.max_memory_bytes,
    }


def _lost_listing(found: list[LostRecording]) -> Listing:
    states = [each.state for each in found]
    return Listing(
        columns=("ID", "ROOM", "ROW", "STARTED", "DURATION", "SIZE"),
        rows=[
            (
                each.id,
                each.room,
                each.row_state or "-",
                _when(None if state is None else state.started_at_ms),
                _duration(None if state is None else state.duration_s),
                _size(None if state is None else state.bytes),
            )
            for each, state in zip(found, states, strict=True)
        ],
        data=[
            {
                "id": each.id,
                "room": each.room,
                "file": each.filename,
                "row_state": each.row_state,
                "started_at_ms": None if state is None else state.started_at_ms,
                "duration_s": None if state is None else state.duration_s,
                "size_bytes": None if state is None else state.bytes,
            }
            for each, state in zip(found, states, strict=True)
        ],
    )


async def _lost(inst: Installation) -> list[LostRecording]:
    async with opened_worker(inst) as dependencies:
        return await LostRecordings(dependencies.context(owner="")).find()


async def _adopt(inst: Installation, recording_id: str) -> Recording:
    async with opened_worker(inst) as dependencies:
        lock = await asyncio.to_thread(WorkerLock.acquire, dependencies.root)
        owner = WorkerLock.owner_of(dependencies.root) if lock is None else lock.owner
        try:
            adopted = await LostRecordings(dependencies.context(owner)).adopt(recording_id)
            if lock is not None:
                await _finish_all(dependencies.worker(lock))
            return await dependencies.store.read(lambda tx: tx.recordings.find(adopted.id)) or adopted
        finally:
            if lock is not None:
                lock.release()


async def _newest(inst: Installation) -> list[Recording]:
    async with opened_worker(inst) as dependencies:
        return list(await dependencies.store.read(lambda tx: tx.recordings.page(room=None, limit=_NEWEST, after=None)))


async def _details(inst: Installation, recording_id: RecordingId) -> tuple[Recording, RecorderState | None]:
    async with opened_worker(inst) as dependencies:
        recording = await dependencies.store.read(lambda tx: tx.recordings.find(recording_id))
        if recording is None:
            raise recording_not_found(recording_id)
        local = dependencies.root / recording.id / STATE_FILE
        with suppress(OSError, ValueError):
            return recording, RecorderState.from_json(await asyncio.to_thread(local.read_text, "utf-8"))
        return recording, await _stored_state(dependencies.files, recording)


async def _stored_state(files: Files, recording: Recording) -> RecorderState | None:
    folder = file_path(recording).rpartition("/")[0]
    stored = await files.open(f"{folder}/{STATE_FILE}")
    if stored is None:
        return None
    text = b"".join([chunk async for chunk in stored.read(0, stored.size_bytes)])
    with suppress(ValueError):
        return RecorderState.from_json(text.decode())
    return None


async def _repair(inst: Installation) -> list[Recording]:
    async with opened_worker(inst) as dependencies:
        lock = await asyncio.to_thread(WorkerLock.acquire, dependencies.root)
        if lock is None:
            raise ConfigurationError(f"A server or recorder runs on {dependencies.root}: it repairs recordings itself")
        try:
            finished = await _finish_all(dependencies.worker(lock))
            return list(await dependencies.store.read(lambda tx: tx.recordings.find_many(finished)))
        finally:
            lock.release()


async def _finish_all(worker: RecordingWorker) -> list[RecordingId]:
    """Finish what crashes left, and show on a terminal how many of how many recordings are done."""
    most = 0

    def steps() -> tuple[int, int]:
        nonlocal most
        most = max(most, worker.unfinished)
        return most - worker.unfinished, most

    return await watched("Repairing recordings", worker.finish_all(), steps)


def _recording_rows(recording: Recording) -> list[tuple[str, ...]]:
    return [
        ("id", recording.id),
        ("room", recording.room),
        ("file", recording.filename),
        ("state", recording.state),
        ("created", _when(recording.created_at_ms)),
        ("started", _when(recording.started_at_ms)),
        ("ended", _when(recording.ended_at_ms)),
        ("duration", _duration(recording.duration_s)),
        ("size", _size(recording.size_bytes)),
        ("details", recording.details or "-"),
        ("error", recording.error or "-"),
        ("worker", recording.lease_owner or "-"),
    ]


def _recorder_rows(state: RecorderState) -> list[tuple[str, ...]]:
    metrics, cpu_s = state.metrics, cpu_per_second(state)
    return [
        ("recorder", f"{state.phase}, pid {state.pid}, reason {state.reason or '-'}"),
        ("frames composed", str(metrics.frames_composed)),
        ("frames late", str(metrics.frames_late)),
        ("audio lost", f"{metrics.audio_lost_s:.3f} s"),
        ("CPU", "-" if cpu_s is None else f"{cpu_s:.3f} s for a recorded second"),
        ("memory", _size(metrics.max_memory_bytes)),
    ]


def _when(at_ms: Millis | None) -> str:
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02}:{rest:04.1f}"


def _size(count: int | None) -> str:
    return "-" if count is None else f"{count / 1_000_000:.1f} MB"
