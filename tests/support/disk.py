"""Small disks of their own, in memory, for tests that fill one up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """Mount a disk at a folder as long as the block lasts."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", folder], check=True, capture_output=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Fill the disk of a folder up; others may write there meanwhile. Return the file that does it."""
    found = os.statvfs(folder)
    filler = folder / "filler"
    with filler.open("ab") as file, suppress(OSError):
        file.write(bytes(found.f_bavail * found.f_frsize - leave_bytes))
    return filler


@cache
def may_mount() -> bool:
    """Tell whether this machine lets us mount: root does, outside of most containers."""
    try:
        with TemporaryDirectory() as folder, small_disk(Path(folder), 4096):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
