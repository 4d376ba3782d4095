"""What `tertulia recorder` and `tertulia recordings` do."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog

from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.app.installation import Installation, opened_worker
from tertulia.app.worker import run_worker
from tertulia.domain.ids import Millis, RecordingId
from tertulia.domain.recordings.recording import Recording
from tertulia.errors import ConfigurationError, recording_not_found
from tertulia.services.ports import Files
from tertulia.services.recordings.service import file_path
from tertulia.services.recordings.supervisor import cpu_per_second
from tertulia_recorder.job import STATE_FILE, RecorderMetrics, RecorderState

_log = structlog.get_logger(__name__)
_NEWEST: Final = 100
_COLUMNS: Final = ("ID", "STATE", "STARTED", "DURATION", "SIZE")


async def work(inst: Installation) -> None:
    """Be a recording worker until SIGTERM or SIGINT. Raises ConfigurationError."""
    if not (inst.settings.media_url or inst.settings.media_internal_url):
        raise ConfigurationError(
            "TERTULIA_MEDIA_URL: a recorder by itself has to be told where the meetings are "
            "(or TERTULIA_MEDIA_INTERNAL_URL), with TERTULIA_MEDIA_API_KEY and TERTULIA_MEDIA_API_SECRET"
        )
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with opened_worker(inst) as parts, asyncio.TaskGroup() as tasks:
        _log.info("waiting for recordings", folder=str(parts.root))
        working = tasks.create_task(run_worker(parts), name="recordings")
        await stop.wait()
        _log.info("stopping; recorders that run go on until this worker is back")
        working.cancel()


async def listing(inst: Installation) -> str:
    """List the newest recordings as a table."""
    async with opened_worker(inst) as parts:
        found = await parts.store.read(lambda tx: tx.recordings.page(room=None, limit=_NEWEST, after=None))
    rows = [
        (one.id, one.state, _when(one.started_at_ms), _duration(one.duration_s), _size(one.size_bytes)) for one in found
    ]
    return _table([_COLUMNS, *rows])


async def details(inst: Installation, recording_id: str) -> str:
    """Tell everything about one recording: its row, and what its recorder measured. Raises NotFound."""
    async with opened_worker(inst) as parts:
        recording = await parts.store.read(lambda tx: tx.recordings.find(RecordingId(recording_id)))
        if recording is None:
            raise recording_not_found(recording_id)
        local = parts.root / recording.id / STATE_FILE
        with suppress(OSError, ValueError):
            return _told(recording, RecorderState.from_json(await asyncio.to_thread(local.read_text, "utf-8")))
        return _told(recording, await _stored_state(parts.files, recording))


async def repair(inst: Installation) -> str:
    """Finish what crashes left, as every start does. Raises ConfigurationError while a server does that itself."""
    async with opened_worker(inst) as parts:
        lock = await asyncio.to_thread(WorkerLock.acquire, parts.root)
        if lock is None:
            raise ConfigurationError(f"A server or recorder runs on {parts.root}: it repairs recordings itself")
        try:
            finished = await parts.worker(lock).finish_all()
            after = await parts.store.read(lambda tx: tx.recordings.find_many(finished))
        finally:
            lock.release()
    if not after:
        return "There was nothing to repair.\n"
    return _table([(one.id, one.state, one.details or one.error or "") for one in after])


async def _stored_state(files: Files, recording: Recording) -> RecorderState | None:
    folder = file_path(recording).rpartition("/")[0]
    stored = await files.open(f"{folder}/{STATE_FILE}")
    if stored is None:
        return None
    text = b"".join([chunk async for chunk in stored.read(0, stored.size_bytes)])
    with suppress(ValueError):
        return RecorderState.from_json(text.decode())
    return None


def _told(recording: Recording, state: RecorderState | None) -> str:
    lines: list[tuple[str, str]] = [
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
    if state is not None:
        lines += _measured(state, state.metrics)
    return _table(lines)


def _measured(state: RecorderState, metrics: RecorderMetrics) -> list[tuple[str, str]]:
    cpu = cpu_per_second(state)
    return [
        ("recorder", json.dumps({"phase": state.phase, "pid": state.pid, "reason": state.reason})),
        ("frames composed", str(metrics.frames_composed)),
        ("frames late", str(metrics.frames_late)),
        ("audio lost", f"{metrics.audio_lost_s:.3f} s"),
        ("CPU", "-" if cpu is None else f"{cpu:.3f} s for a recorded second"),
        ("memory", _size(metrics.max_memory_bytes)),
    ]


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    cells = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "".join(f"{line}\n" for line in lines)


def _when(at_ms: Millis | None) -> str:
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02}:{rest:04.1f}"


def _size(count: int | None) -> str:
    return "-" if count is None else f"{count / 1_000_000:.1f} MB"
