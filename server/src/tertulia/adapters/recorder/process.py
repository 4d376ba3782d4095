"""The recorder processes of this machine: started in a session of their own, seen from outside by their folders.

A recorder outlives the server that started it. What is known of one is in its folder (see `domain/recorder_job.py`):
whether it lives is whether somebody holds its lock.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import structlog

from tertulia.domain.ids import RecordingId
from tertulia.errors import Unavailable
from tertulia.services.ports import RecorderStatus
from tertulia_recorder.job import (
    JOB_FILE,
    LOCK_FILE,
    LOCK_VARIABLE,
    STATE_FILE,
    STOP_FILE,
    TOKEN_VARIABLE,
    RecorderJob,
    RecorderPhase,
    RecorderState,
)

_log = structlog.get_logger(__name__)
_COMMAND: Final = (sys.executable, "-m", "tertulia_recorder")
_LOG_FILE: Final = "log"
_OWNER_FILE: Final = ".worker"
_OURS: Final = "TERTULIA_"
_REPAIR_TIMEOUT_S: Final = 600.0
_REPAIRS_AT_ONCE: Final = 2


class WorkerLock:
    """The folder in which one worker at a time keeps its recorders' folders; `owner` names it for good."""

    def __init__(self, root: Path, owner: str, lock_fd: int) -> None:
        self.root = root
        self.owner = owner
        self._lock_fd = lock_fd

    @classmethod
    def take(cls, root: Path) -> Self | None:
        """Become the worker here; None while another process is."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_fd = os.open(root / _OWNER_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock_fd)
            return None
        owner = os.read(lock_fd, 100).decode("ascii", "replace").strip()
        if not owner:
            owner = secrets.token_hex(8)
            os.write(lock_fd, f"{owner}\n".encode())
            os.fsync(lock_fd)
        return cls(root, owner, lock_fd)

    def leave(self) -> None:
        """Let another process be the worker."""
        os.close(self._lock_fd)


class RecorderProcesses:
    """The recorders whose folders are in `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._repairs = asyncio.Semaphore(_REPAIRS_AT_ONCE)
        self._children: dict[RecordingId, subprocess.Popen[bytes]] = {}

    def folder(self, recording_id: RecordingId) -> Path:
        """Tell where a recording is made."""
        return self._root / recording_id

    async def start(self, job: RecorderJob, token: str) -> None:
        """Make the folder and start the recorder. Raises Unavailable."""
        try:
            # not asyncio's subprocess: that one kills its children when it is closed
            self._children[job.recording_id] = await asyncio.to_thread(self._start, job, token)
        except OSError as error:
            raise Unavailable("recorder_not_started", f"The recorder cannot be started: {error.strerror}") from error

    def _start(self, job: RecorderJob, token: str) -> subprocess.Popen[bytes]:
        folder = self.folder(job.recording_id)
        folder.mkdir(mode=0o700)
        (folder / JOB_FILE).write_text(job.to_json(), "utf-8")
        lock_fd = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with (folder / _LOG_FILE).open("ab") as log:
                return subprocess.Popen(  # noqa: S603 - our own module, with a path of ours
                    (*_COMMAND, str(folder)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment() | {TOKEN_VARIABLE: token, LOCK_VARIABLE: str(lock_fd)},
                    pass_fds=(lock_fd,),
                    start_new_session=True,
                )
        finally:
            os.close(lock_fd)  # the child has its own: the lock lives as long as the child

    async def look(self, recording_id: RecordingId) -> RecorderStatus:
        """See whether a recorder lives, and what it said last."""
        return await asyncio.to_thread(self._look, recording_id)

    def _look(self, recording_id: RecordingId) -> RecorderStatus:
        folder = self.folder(recording_id)
        child = self._children.get(recording_id)
        if child is not None and child.poll() is not None:
            del self._children[recording_id]
        # first the lock, then the state: what a recorder that has gone said last is then complete
        is_alive = _is_locked(folder / LOCK_FILE)
        return RecorderStatus(exists=folder.is_dir(), is_alive=is_alive, state=_read_state(folder))

    async def ask_to_end(self, recording_id: RecordingId) -> None:
        """Ask a recorder to finish its file; one that has gone is no error."""
        await asyncio.to_thread(self._ask_to_end, recording_id)

    def _ask_to_end(self, recording_id: RecordingId) -> None:
        with suppress(OSError):
            (self.folder(recording_id) / STOP_FILE).touch()
        state = _read_state(self.folder(recording_id))
        # one that has not said anything yet may not listen to signals yet: it finds the file
        if state is not None and state.phase in {RecorderPhase.JOINING, RecorderPhase.RECORDING}:
            self._signal(recording_id, signal.SIGTERM)

    async def kill(self, recording_id: RecordingId) -> None:
        """End a recorder that does not answer; its file is repaired afterwards."""
        await asyncio.to_thread(self._signal, recording_id, signal.SIGKILL)

    def _signal(self, recording_id: RecordingId, number: signal.Signals) -> None:
        folder = self.folder(recording_id)
        child, state = self._children.get(recording_id), _read_state(folder)
        if child is not None:
            child.send_signal(number)
        elif state is not None and _is_locked(folder / LOCK_FILE):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(state.pid, number)

    async def recover(self, recording_id: RecordingId) -> RecorderState | None:
        """Finish what a recorder left; None when it left nothing at all. Raises Unavailable when that failed."""
        folder = self.folder(recording_id)
        state = await asyncio.to_thread(_read_state, folder)
        if state is not None and state.phase is RecorderPhase.DONE and not state.needs_remux:
            return state
        if not await asyncio.to_thread((folder / JOB_FILE).exists):
            return None
        async with self._repairs:
            return await _repaired(folder)

    async def log_tail(self, recording_id: RecordingId) -> str:
        """Give the end of a recorder's log, for whoever has to find out what went wrong."""
        return await asyncio.to_thread(_tail, self.folder(recording_id) / _LOG_FILE)

    async def discard(self, recording_id: RecordingId) -> None:
        """Remove a recording's folder with all that is in it."""
        self._children.pop(recording_id, None)
        await asyncio.to_thread(shutil.rmtree, self.folder(recording_id), ignore_errors=True)

    async def known(self) -> list[RecordingId]:
        """List whose folders are here."""
        return await asyncio.to_thread(self._known)

    def _known(self) -> list[RecordingId]:
        with suppress(FileNotFoundError), os.scandir(self._root) as entries:
            return [RecordingId(entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
        return []

    async def free_bytes(self) -> int:
        """Tell how much the disk of the folders still takes."""
        disk = await asyncio.to_thread(os.statvfs, self._root)
        return disk.f_bavail * disk.f_frsize


def _environment() -> dict[str, str]:
    """Give our environment without our settings: some are secrets, and a recorder needs none of them."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


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


def _tail(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[-2000:]
    except OSError:
        return ""


async def _repaired(folder: Path) -> RecorderState:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        "--recover",
        str(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(_REPAIR_TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError as error:
        raise Unavailable("recording_not_repaired", "The repair takes too long") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return RecorderState.from_json(output.decode())
    except ValueError as error:
        said = errors.decode(errors="replace").strip()[-500:]
        raise Unavailable("recording_not_repaired", f"The repair failed: {said or 'it said nothing'}") from error
