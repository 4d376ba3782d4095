"""The recording's folder: lock, job, state and media file. What the state says is on the disk before."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from tertulia_recorder.job import (
    JOB_FILE,
    LOCK_FILE,
    LOCK_VARIABLE,
    NOTIFY_VARIABLE,
    PART_SUFFIX,
    STATE_FILE,
    STOP_FILE,
    RecorderJob,
    RecorderPhase,
    RecorderState,
    stop_age_s,
)

_STOP_FILE_CHARACTERS: Final = 40
_BALLAST_FILE: Final = "ballast"
_BALLAST_BYTES: Final = 64 * 1024
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderBusyError(Exception):
    """Raised when another recorder holds a folder's lock."""


class RecordingFolder:
    """A folder that this process owns, by a lock that the system releases when the process ends."""

    def __init__(self, path: Path, job: RecorderJob, lock_fd: int) -> None:
        self.path = path
        self.job = job
        self._lock_fd = lock_fd
        self._is_media_named = False
        self._synced_phase: RecorderPhase | None = None
        self._notify_fd = _inherited_descriptor(NOTIFY_VARIABLE)
        if self._notify_fd is not None:
            os.set_blocking(self._notify_fd, False)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Lock the folder and read its job.

        Raises FolderBusyError, OSError, or ValueError for a job that cannot be read.
        """
        lock_fd = _inherited_descriptor(LOCK_VARIABLE)
        if lock_fd is None:
            lock_fd = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            job = RecorderJob.from_json((path / JOB_FILE).read_text("utf-8"))
        except BlockingIOError as error:
            os.close(lock_fd)
            raise FolderBusyError(f"{path} belongs to a recorder that is running") from error
        except (OSError, ValueError):
            os.close(lock_fd)
            raise
        return cls(path, job, lock_fd)

    def close(self) -> None:
        """Release the lock."""
        (self.path / _BALLAST_FILE).unlink(missing_ok=True)
        os.close(self._lock_fd)
        if self._notify_fd is not None:
            os.close(self._notify_fd)

    @property
    def part(self) -> Path:
        """The media while it is being written."""
        return self.path / (self.job.file_name + PART_SUFFIX)

    @property
    def final(self) -> Path:
        """The media once it is finished."""
        return self.path / self.job.file_name

    def reserve_space(self) -> None:
        """Write a ballast file: the last state is written over it where the disk is full."""
        (self.path / _BALLAST_FILE).write_bytes(os.urandom(_BALLAST_BYTES))

    def stop_age_s(self) -> float | None:
        """Return how many seconds ago the stop was requested by the file ``stop``; None when there is none."""
        try:
            with (self.path / STOP_FILE).open(encoding="ascii", errors="replace") as file:
                return stop_age_s(file.read(_STOP_FILE_CHARACTERS))
        except OSError:
            return None

    def free_bytes(self) -> int:
        """Return how much space the disk has left."""
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def sync_media(self) -> int:
        """Sync the media written so far to the disk; returns its size, 0 before there is any."""
        try:
            descriptor = os.open(self.part, os.O_RDONLY)
        except FileNotFoundError:
            return 0
        try:
            os.fsync(descriptor)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if not self._is_media_named:
            self._sync_names()
            self._is_media_named = True
        return size

    def publish(self) -> None:
        """Rename the synced media to its final name."""
        self.part.replace(self.final)
        self._sync_names()

    def read_state(self) -> RecorderState | None:
        """Return the last written state, None when there is no readable one."""
        try:
            return RecorderState.from_json((self.path / STATE_FILE).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def write_state(self, state: RecorderState) -> None:
        """Replace the state as a whole and notify the worker. Raises OSError.

        On a full disk the last one takes the place of the ballast. No other one does: the media that is still being
        written would fill the space that it leaves.
        """
        ballast = self.path / _BALLAST_FILE
        try:
            self._replace_state(state, self.path / (STATE_FILE + ".new"), "w")
        except OSError as error:
            is_last = state.phase is RecorderPhase.DONE
            if error.errno not in DISK_FULL or not is_last or not ballast.exists():
                raise
            self._replace_state(state, ballast, "r+")
        if self._notify_fd is not None:
            with suppress(OSError):  # full: a byte is waiting already; broken: the worker has gone
                os.write(self._notify_fd, b".")

    def _replace_state(self, state: RecorderState, scratch: Path, mode: str) -> None:
        with scratch.open(mode, encoding="utf-8") as file:
            file.write(state.to_json())
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.path / STATE_FILE)
        if state.phase is not self._synced_phase:  # a power cut may cost the last half second, but not a phase
            self._sync_names()
            self._synced_phase = state.phase

    def _sync_names(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _inherited_descriptor(variable: str) -> int | None:
    """Take over an open file that the process which started this one names in an environment variable."""
    number = os.environ.pop(variable, "")
    if not number.isdecimal():
        return None
    os.set_inheritable(int(number), False)
    return int(number)
