"""The command `tertulia` as a shell runs it, without the settings of the environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.rest import COMMAND


def run_command(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    return subprocess.run(
        [COMMAND, *arguments],
        env=clean | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
