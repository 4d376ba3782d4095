"""The disk of the data directory."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tertulia.services.ports import Disk


class FolderDisk(Disk):
    """The disks on which folders are; one that does not exist yet is not asked."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    async def free_bytes(self) -> int:
        """Look at the fullest."""
        return (await asyncio.to_thread(self._fullest))[0]

    async def total_bytes(self) -> int:
        """Look at the fullest."""
        return (await asyncio.to_thread(self._fullest))[1]

    def _fullest(self) -> tuple[int, int]:
        usages = [shutil.disk_usage(each) for each in self._folders if each.is_dir()]
        return min((usage.free, usage.total) for usage in usages)
