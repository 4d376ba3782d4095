"""`tertulia recordings`: what an operator sees and mends without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from integration.recording_lifecycle.test_crafted_states import done, recording
from support.crafted_worker import Crafted, crafted
from support.product import COMMAND
from tertulia.domain.recordings.recording import RecordingState


async def command(here: Crafted, database_url: str, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        COMMAND, "recordings", *words, "--data-dir", str(here.root.parent), "--database-url", database_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_list_repair_show(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'x.db'}"
    async with crafted(tmp_path, database_url) as here:
        crashed, finished = await here.row(RecordingState.ACTIVE), await here.row(RecordingState.COMPLETE)
        recording(here, crashed)
        done(here, finished)

        status, told = await command(here, database_url, "list")
        assert status == 0
        assert f"{crashed.id}  ACTIVE" in told
        assert f"{finished.id}  COMPLETE" in told

        status, told = await command(here, database_url, "repair")
        assert (status, told.split()[:2]) == (0, [crashed.id, "COMPLETE"])
        assert await command(here, database_url, "repair") == (0, "There was nothing to repair.\n")

        status, told = await command(here, database_url, "show", crashed.id)
        assert status == 0
        assert "COMPLETE" in told
        assert "The recorder was killed" in told
        assert "frames composed" in told
        assert (await command(here, database_url, "show", "unknown"))[0] == 1
        assert (await command(here, database_url, "show"))[0] == 2
