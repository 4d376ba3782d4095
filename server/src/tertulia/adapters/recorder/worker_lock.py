"""The lock that lets one worker at a time use a folder of recordings."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import structlog

from tertulia.errors import Unavailable

_log = structlog.get_logger(__name__)
_OWNER_FILE: Final = ".worker"
_MOST_BYTES: Final = 1000
_MACHINE_FILES: Final = (
    Path("/etc/machine-id"),
    Path("/var/lib/dbus/machine-id"),
    Path("/sys/class/dmi/id/product_uuid"),
)
"""The first that says anything counts. Containers often have none of the first two, and share the third."""


class WorkerLock:
    """The right to be the worker of `root`. `owner` is the worker's name, which stays with the folder on its machine.

    A copy of the folder (a clone, a restored backup) gets another name: two workers of one name would end each other's
    recordings.
    """

    def __init__(self, root: Path, owner: str, lock_fd: int) -> None:
        self.root = root
        self.owner = owner
        self._lock_fd = lock_fd

    @classmethod
    def acquire(cls, root: Path) -> Self | None:
        """Become the worker of a folder; None while another process is. Raises Unavailable, as on a full disk."""
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock_fd = os.open(root / _OWNER_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(root, error) from error
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(root, cls._name(root, lock_fd), lock_fd)
        except BlockingIOError:
            os.close(lock_fd)
            return None
        except OSError as error:
            os.close(lock_fd)
            raise _unusable(root, error) from error

    @staticmethod
    def _name(root: Path, lock_fd: int) -> str:
        """Return the worker's name, which is written where it is new, or the folder's place is."""
        owner, place = _parsed(os.pread(lock_fd, _MOST_BYTES, 0).decode("ascii", "replace"))
        place_now = _place_of(lock_fd)
        if owner and _is_other_place(place, place_now):
            _log.warning(
                "the folder of recordings is a copy: its worker gets another name", folder=str(root), was=owner
            )
            owner = ""
        if not owner or place != place_now:
            owner = owner or secrets.token_hex(8)
            _write(lock_fd, f"{owner}\n{place_now}\n")
        return owner

    @staticmethod
    def owner_of(root: Path) -> str:
        """Return the name of a folder's worker, whether or not a process is it now; empty before the first."""
        with suppress(FileNotFoundError):
            return _parsed((root / _OWNER_FILE).read_text("ascii", "replace"))[0]
        return ""

    def release(self) -> None:
        """Let another process be the worker."""
        os.close(self._lock_fd)


def _unusable(root: Path, error: OSError) -> Unavailable:
    return Unavailable("recordings_unavailable", f"The folder of recordings {root} cannot be used: {error.strerror}")


def _parsed(text: str) -> tuple[str, str]:
    owner, _, place = text.partition("\n")
    return owner.strip(), place.strip()


def _write(descriptor: int, text: str) -> None:
    # first the longer content, then its length: what a power cut leaves begins with a name in either case
    os.pwrite(descriptor, text.encode(), 0)
    os.ftruncate(descriptor, len(text.encode()))
    os.fsync(descriptor)


def _place_of(descriptor: int) -> str:
    """Return what tells this machine and this file from a copy: `<machine>:<inode>`, the machine empty if unknown."""
    return f"{_machine()}:{os.fstat(descriptor).st_ino:x}"


def _machine() -> str:
    for path in _MACHINE_FILES:
        with suppress(OSError):
            if text := path.read_text("ascii", "replace").strip():
                # an id that is to stay on its machine (machine-id(5)): only its digest goes into backups
                return hashlib.sha256(f"tertulia worker {text}".encode()).hexdigest()[:16]
    return ""


def _is_other_place(before: str, now: str) -> bool:
    if not before:  # written by a version that did not know places
        return False
    (machine, _, inode), (machine_now, _, inode_now) = before.partition(":"), now.partition(":")
    return inode != inode_now or bool(machine and machine_now and machine != machine_now)
