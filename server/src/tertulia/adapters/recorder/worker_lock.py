"""The lock that lets one worker at a time use a folder of recordings."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_OWNER_FILE: Final = ".worker"


class WorkerLock:
    """The right to be the worker of `root`. `owner` is the worker's name, which stays with the folder."""

    def __init__(self, root: Path, owner: str, lock_fd: int) -> None:
        self.root = root
        self.owner = owner
        self._lock_fd = lock_fd

    @classmethod
    def acquire(cls, root: Path) -> Self | None:
        """Become the worker of a folder; None while another process is."""
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

    @staticmethod
    def owner_of(root: Path) -> str:
        """Return the name of a folder's worker, whether or not a process is it now; empty before the first."""
        with suppress(FileNotFoundError):
            return (root / _OWNER_FILE).read_text("ascii", "replace").strip()
        return ""

    def release(self) -> None:
        """Let another process be the worker."""
        os.close(self._lock_fd)
