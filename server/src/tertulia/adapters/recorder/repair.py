"""Running the repair of a recorder that was killed: `python -m tertulia_recorder --recover <folder>`."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Final

from tertulia.adapters.recorder.command import COMMAND, environment
from tertulia.errors import Unavailable
from tertulia_recorder.job import RecorderState

_TIMEOUT_S: Final = 600.0
_ERROR_CHARACTERS: Final = 500


async def repair(folder: Path) -> RecorderState:
    """Finish the file in a recorder's folder, in a process of its own. Raises Unavailable."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--recover",
        str(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
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
        reason = errors.decode(errors="replace").strip()[-_ERROR_CHARACTERS:] or "it said nothing"
        told = "The repair failed"
        raise Unavailable("recording_not_repaired", f"{told}: {reason}", told=told) from error
