"""A disk that really fills up while a recording runs; the database is on the same one, where nothing else is said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from support import crash_states
from support.disk import small_disk
from support.offline_installation import offline_installation
from support.recording_server import RecordingServer, StartServer, until_found
from tertulia.domain.recordings.recording import RecordingState
from tertulia_recorder.repair.mp4 import is_finalised

pytestmark = pytest.mark.timeout(300)  # a busy machine fills the disk slowly
DISK_BYTES = 24_000_000
LEFT_BYTES = 400_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    data = tmp_path / "data"
    data.mkdir()
    with small_disk(data, DISK_BYTES):
        yield data


def free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


async def recorded_until_full(server: RecordingServer, disk: Path) -> tuple[str, str, Path]:
    """Returns the room, the recording that finds the disk full, and the file that fills it."""
    room = await server.create_room()
    await server.join(room)
    recording = await server.start_recording(room)
    await server.recorded(recording, 2)
    filler = disk / "filler"
    filler.write_bytes(bytes(free_bytes(disk) - LEFT_BYTES))
    return room, recording, filler


async def test_the_file_is_kept_and_the_room_can_record_again(disk: Path, start_server: StartServer) -> None:
    server = await start_server(RECORDING_MIN_FREE_BYTES="1")
    room, recording, filler = await recorded_until_full(server, disk)
    shown = await server.ended(recording, within_s=240)
    assert '"state":"LIMITED_REACHED"' in await server.logged_end(recording)
    assert shown["status"] == "STOPPED"
    film = await server.film(recording)
    assert film.duration_s > 2
    assert abs(film.duration_s - shown["duration"]) < 0.1
    assert film.loudness(440, 1, 2) > 0.02

    filler.unlink()
    again = await server.start_recording(room)
    await server.recorded(again, 2)
    await server.stop_recording(again)
    assert (await server.ended(again))["status"] == "STOPPED"
    assert (await server.film(again)).duration_s > 1.5
    assert (await server.film(recording)).duration_s == pytest.approx(film.duration_s, abs=0.3)


async def test_a_file_without_an_index_gets_it_when_there_is_room(
    disk: Path, tmp_path: Path, start_server: StartServer
) -> None:
    """The next start looks, and the server does every ten minutes."""
    # a database that is full to the last byte, too, could not be told that the recording has ended
    database_url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    server = await start_server(RECORDING_MIN_FREE_BYTES="1", DATABASE_URL=database_url)
    _, recording, filler = await recorded_until_full(server, disk)
    await server.ended(recording, within_s=240)
    film = await server.film(recording)
    assert not is_finalised(film.path), "this test needs a file that found no room for its index"

    filler.unlink()
    await server.product.stop()
    await server.product.start()

    def is_indexed() -> bool:
        return f'"recording":"{recording}"' in server.log() and "has its index now" in server.log()

    await until_found("the index is written", is_indexed)
    shown, repaired = await server.recording(recording), await server.film(recording)
    assert is_finalised(repaired.path)
    assert repaired.duration_s == pytest.approx(film.duration_s, abs=0.1)
    assert shown["duration"] == pytest.approx(repaired.duration_s, abs=0.1)
    assert shown["size"] == repaired.path.stat().st_size


async def test_a_store_that_is_full_is_waited_for(tmp_path: Path) -> None:
    """Another disk than the recorder's: the film stays where it was made until there is room for it."""
    disk = tmp_path / "store"
    disk.mkdir()
    with small_disk(disk, DISK_BYTES):
        database_url = f"sqlite:///{tmp_path / 'x.db'}"
        async with offline_installation(tmp_path, database_url, recordings_url=str(disk / "films")) as installation:
            row = await installation.add_row(RecordingState.ENDING)
            crash_states.done(installation, row)
            content = installation.file(row).read_bytes()
            filler = disk / "filler"
            filler.write_bytes(bytes(free_bytes(disk) - len(content) // 2))
            with capture_logs() as logs:
                async with installation.working():
                    await until_found(
                        "a try that fails", lambda: [each for each in logs if "stays here for now" in each["event"]]
                    )
                    assert (await installation.row(row)).state is RecordingState.ENDING
                    assert installation.file(row).read_bytes() == content
                    filler.unlink()
                    after = await installation.row_when(row, lambda row: not row.is_running)
                    await until_found("the local copy goes", lambda: not installation.folder(row).exists())
            assert after.state is RecordingState.COMPLETE
            assert (disk / "films" / row.id / row.filename).read_bytes() == content
