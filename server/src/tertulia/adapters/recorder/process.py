"""The recorder processes of this machine: started in a session of their own, observed by their folders.

A recorder outlives the server that started it. What is known of one is in its folder (see `tertulia_recorder.job`):
it lives as long as its lock is held. A recorder that this process started also has a pipe to it and writes a byte
there whenever it has written its state, so that a new state, and the recorder's end, are seen at once.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tertulia.adapters.recorder.command import COMMAND, environment
from tertulia.adapters.recorder.repair import repair
from tertulia.domain.ids import RecordingId
from tertulia.errors import Unavailable
from tertulia.services.ports import RecorderStatus
from tertulia_recorder.job import (
    JOB_FILE,
    LOCK_FILE,
    LOCK_VARIABLE,
    NOTIFY_VARIABLE,
    STATE_FILE,
    STOP_FILE,
    TOKEN_VARIABLE,
    RecorderJob,
    RecorderPhase,
    RecorderState,
)

_LOG_FILE: Final = "log"
_LOG_TAIL_CHARACTERS: Final = 2000
_REPAIRS_AT_ONCE: Final = 2
_PIPE_READ_BYTES: Final = 4096
_EXIT_TIMEOUT_S: Final = 1.0
_LISTENING_PHASES: Final = frozenset({RecorderPhase.JOINING, RecorderPhase.RECORDING})


@dataclass(slots=True)
class _Child:
    """A recorder that this process started. `pipe_fd` is the read end of its pipe, closed once that has ended."""

    process: subprocess.Popen[bytes]
    pipe_fd: int
    pipe_has_ended: bool = False


class RecorderProcesses:
    """The recorders whose folders are in `root`.

    `on_change` is called in the event loop when the state of a recorder that was started here may have changed.
    """

    def __init__(self, root: Path, *, on_change: Callable[[RecordingId], None]) -> None:
        self._root = root
        self._on_change = on_change
        self._repairs = asyncio.Semaphore(_REPAIRS_AT_ONCE)
        self._children: dict[RecordingId, _Child] = {}

    def folder(self, recording_id: RecordingId) -> Path:
        return self._root / recording_id

    # ── start ──

    async def start(self, job: RecorderJob, token: str) -> None:
        """Start the recorder with its lock held from before the process exists."""
        try:
            child = await asyncio.to_thread(self._start, job, token)
        except OSError as error:
            told = "The recorder cannot be started"
            raise Unavailable("recorder_not_started", f"{told}: {error.strerror}", told=told) from error
        self._children[job.recording_id] = child
        asyncio.get_running_loop().add_reader(child.pipe_fd, self._read_pipe, job.recording_id, child)

    def _start(self, job: RecorderJob, token: str) -> _Child:
        folder = self.folder(job.recording_id)
        folder.mkdir(mode=0o700)
        _write_synced(folder / JOB_FILE, job.to_json())
        lock_fd = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        read_fd, write_fd = os.pipe()
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.set_blocking(read_fd, False)
            with (folder / _LOG_FILE).open("ab") as log:
                # not asyncio's subprocess: that one kills its children when it is closed
                process = subprocess.Popen(  # noqa: S603 - our own module, with a path of ours
                    (*COMMAND, str(folder)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment()
                    | {TOKEN_VARIABLE: token, LOCK_VARIABLE: str(lock_fd), NOTIFY_VARIABLE: str(write_fd)},
                    pass_fds=(lock_fd, write_fd),
                    start_new_session=True,
                )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            # the child has its own: the lock and the pipe live as long as the child
            os.close(lock_fd)
            os.close(write_fd)
        return _Child(process, read_fd)

    def _read_pipe(self, recording_id: RecordingId, child: _Child) -> None:
        if not os.read(child.pipe_fd, _PIPE_READ_BYTES):
            asyncio.get_running_loop().remove_reader(child.pipe_fd)
            os.close(child.pipe_fd)
            child.pipe_has_ended = True
        self._on_change(recording_id)

    # ── observe ──

    async def job(self, recording_id: RecordingId) -> RecorderJob | None:
        return await asyncio.to_thread(_read_job, self.folder(recording_id))

    async def status(self, recording_id: RecordingId) -> RecorderStatus:
        return await asyncio.to_thread(self._status, recording_id)

    def _status(self, recording_id: RecordingId) -> RecorderStatus:
        folder = self.folder(recording_id)
        child = self._children.get(recording_id)
        # first the lock, then the state: the last state of a recorder that has exited is then complete
        is_alive = _is_locked(folder / LOCK_FILE)
        if child is not None and child.pipe_has_ended:
            if is_alive:  # it is exiting: the system closes its files one after the other
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(_EXIT_TIMEOUT_S)
                is_alive = _is_locked(folder / LOCK_FILE)
            if child.process.poll() is not None:
                self._children.pop(recording_id, None)
        return RecorderStatus(exists=folder.is_dir(), is_alive=is_alive, state=_read_state(folder))

    async def log_tail(self, recording_id: RecordingId) -> str:
        return await asyncio.to_thread(_tail, self.folder(recording_id) / _LOG_FILE)

    async def recording_ids(self) -> list[RecordingId]:
        return await asyncio.to_thread(self._recording_ids)

    def _recording_ids(self) -> list[RecordingId]:
        with suppress(FileNotFoundError), os.scandir(self._root) as entries:
            return [RecordingId(entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
        return []

    async def free_bytes(self) -> int:
        disk = await asyncio.to_thread(os.statvfs, self._root)
        return disk.f_bavail * disk.f_frsize

    # ── end ──

    async def request_stop(self, recording_id: RecordingId, *, age_s: float = 0.0) -> None:
        """Ask by a file, and by SIGTERM once the recorder handles signals."""
        await asyncio.to_thread(self._request_stop, recording_id, age_s)

    def _request_stop(self, recording_id: RecordingId, age_s: float) -> None:
        path = self.folder(recording_id) / STOP_FILE
        with suppress(OSError):
            scratch = path.with_name(f"{STOP_FILE}.new")  # a recorder that sees the file reads it whole
            scratch.write_text(f"{age_s:.3f}")
            scratch.replace(path)
        with suppress(OSError):
            path.touch()  # a full disk may refuse the number
        state = _read_state(self.folder(recording_id))
        # one without a state may not handle signals yet: it finds the file
        if state is not None and state.phase in _LISTENING_PHASES:
            self._signal(recording_id, signal.SIGTERM)

    async def kill(self, recording_id: RecordingId) -> None:
        await asyncio.to_thread(self._signal, recording_id, signal.SIGKILL)

    def _signal(self, recording_id: RecordingId, number: signal.Signals) -> None:
        folder = self.folder(recording_id)
        child, state = self._children.get(recording_id), _read_state(folder)
        if child is not None:
            child.process.send_signal(number)
        elif state is not None and _is_locked(folder / LOCK_FILE):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(state.pid, number)

    async def recover(self, recording_id: RecordingId) -> RecorderState | None:
        """Run the repair unless the last state says that the file is finished."""
        folder = self.folder(recording_id)
        state = await asyncio.to_thread(_read_state, folder)
        if state is not None and state.phase is RecorderPhase.DONE and not state.needs_remux:
            return state
        if not await asyncio.to_thread((folder / JOB_FILE).exists):
            return None
        async with self._repairs:
            return await repair(folder)

    async def delete_folder(self, recording_id: RecordingId) -> None:
        self._children.pop(recording_id, None)
        await asyncio.to_thread(shutil.rmtree, self.folder(recording_id), ignore_errors=True)


def _write_synced(path: Path, text: str) -> None:
    """Write a file in a new folder so that a power cut leaves it whole, with its name and its folder's."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    for folder in (path.parent, path.parent.parent):
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder_fd)
        finally:
            os.close(folder_fd)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read_state(folder: Path) -> RecorderState | None:
    try:
        return RecorderState.from_json((folder / STATE_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _read_job(folder: Path) -> RecorderJob | None:
    try:
        return RecorderJob.from_json((folder / JOB_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _tail(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[-_LOG_TAIL_CHARACTERS:]
    except OSError:
        return ""
