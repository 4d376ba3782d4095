"""Small disks of their own, in memory, for tests that fill one up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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


@cache
def may_mount() -> bool:
    """Tell whether this machine lets us mount: root does, outside of most containers."""
    try:
        with TemporaryDirectory() as folder, small_disk(Path(folder), 4096):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
