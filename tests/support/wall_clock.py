"""The time of day of single processes, which a test may move while they run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SOURCE: Final = Path(__file__).with_suffix(".c")


@dataclass(frozen=True)
class WallClock:
    """What processes that are started with `environment` take for the time of day."""

    file: Path
    library: Path

    @classmethod
    def make(cls, folder: Path) -> WallClock:
        """Make one that is right so far."""
        clock = cls(folder / "wall-clock", folder / "wall-clock.so")
        # recorders get only what they need of a server's environment: the library has to know its file by itself
        defined = f'-DWALL_CLOCK_FILE="{clock.file}"'
        command = ["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", defined, "-o", clock.library, _SOURCE]
        subprocess.run(command, check=True, capture_output=True)
        clock.move(0)
        return clock

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library)}

    def move(self, ahead_s: int) -> None:
        """Set it this much ahead of the true time (behind, if less than 0), at once and in all processes."""
        with self.file.open("r+b" if self.file.exists() else "wb", buffering=0) as file:
            file.write(ahead_s.to_bytes(8, "little", signed=True))
