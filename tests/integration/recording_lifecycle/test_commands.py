"""`tertulia recordings`: what an operator sees and repairs without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support import crash_states
from support.offline_installation import OfflineInstallation, offline_installation
from support.product import COMMAND
from tertulia.domain.recordings.recording import RecordingState


async def run(installation: OfflineInstallation, database_url: str, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        COMMAND, "recordings", *arguments, "--data-dir", str(installation.root.parent), "--database-url", database_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_list_repair_show(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'x.db'}"
    async with offline_installation(tmp_path, database_url) as installation:
        crashed = await installation.add_row(RecordingState.ACTIVE)
        finished = await installation.add_row(RecordingState.COMPLETE)
        crash_states.recording(installation, crashed)
        crash_states.done(installation, finished)

        status, output = await run(installation, database_url, "list")
        assert status == 0
        assert f"{crashed.id}  ACTIVE" in output
        assert f"{finished.id}  COMPLETE" in output

        status, output = await run(installation, database_url, "repair")
        assert (status, output.split()[:2]) == (0, [crashed.id, "COMPLETE"])
        assert await run(installation, database_url, "repair") == (0, "There was nothing to repair.\n")

        status, output = await run(installation, database_url, "show", crashed.id)
        assert status == 0
        assert "COMPLETE" in output
        assert "The recorder was killed" in output
        assert "frames composed" in output
        assert (await run(installation, database_url, "show", "unknown"))[0] == 1
        assert (await run(installation, database_url, "show"))[0] == 2


async def test_a_lost_recording_is_listed_and_taken_back(tmp_path: Path) -> None:
    """As after a database that was restored to an earlier moment."""
    database_url = f"sqlite:///{tmp_path / 'x.db'}"
    async with offline_installation(tmp_path, database_url) as installation:
        row = await installation.add_row(RecordingState.ACTIVE)
        crash_states.recording(installation, row)
        await installation.store.write(lambda tx: tx.recordings.delete([row.id]))
        assert (await run(installation, database_url, "repair"))[0] == 0
        status, output = await run(installation, database_url, "list", "--lost")
        assert (status, output.splitlines()[1].split()[:3]) == (0, [row.id, row.room, "-"])

        status, output = await run(installation, database_url, "adopt", row.id)
        assert (status, "COMPLETE" in output) == (0, True)
        assert (await installation.row(row)).state is RecordingState.COMPLETE
        assert (await run(installation, database_url, "adopt", row.id))[0] == 1
