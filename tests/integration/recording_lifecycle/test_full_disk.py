"""A disk that really fills up while a recording runs; the database is on the same one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.recording_lifecycle.conftest import MakePlace, Place, until
from integration.recording_lifecycle.test_crashes import logged
from support.disk import small_disk
from tertulia_recorder.repair.mp4 import is_finalised

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


async def recorded_until_full(here: Place, disk: Path) -> tuple[str, str, Path]:
    """Returns the room, the recording that finds the disk full, and the file that fills it."""
    room = await here.room()
    await here.join(room)
    recording = await here.start(room)
    await here.recorded(recording, 2)
    filler = disk / "filler"
    filler.write_bytes(bytes(free_bytes(disk) - LEFT_BYTES))
    return room, recording, filler


async def test_the_file_is_kept_and_the_room_can_record_again(disk: Path, place: MakePlace) -> None:
    here = await place(RECORDING_MIN_FREE_BYTES="1")
    room, recording, filler = await recorded_until_full(here, disk)
    shown = await here.ended(recording, within_s=120)
    assert '"state":"LIMITED_REACHED"' in await logged(here, recording)
    assert shown["status"] == "STOPPED"
    film = await here.film(recording)
    assert film.duration_s > 2
    assert abs(film.duration_s - shown["duration"]) < 0.1
    assert film.loudness(440, 1, 2) > 0.02

    filler.unlink()
    again = await here.start(room)
    await here.recorded(again, 2)
    await here.stop(again)
    assert (await here.ended(again))["status"] == "STOPPED"
    assert (await here.film(again)).duration_s > 1.5
    assert (await here.film(recording)).duration_s == pytest.approx(film.duration_s, abs=0.3)


async def test_a_file_without_an_index_gets_it_when_there_is_room(disk: Path, place: MakePlace) -> None:
    """The next start looks, and the server does every ten minutes."""
    here = await place(RECORDING_MIN_FREE_BYTES="1")
    _, recording, filler = await recorded_until_full(here, disk)
    await here.ended(recording, within_s=120)
    film = await here.film(recording)
    assert not is_finalised(film.path), "this test needs a file that found no room for its index"

    filler.unlink()
    await here.product.stop()
    await here.product.start()

    def is_indexed() -> bool:
        return f'"recording":"{recording}"' in here.log() and "has its index now" in here.log()

    await until(is_indexed, "the index is written")
    shown, mended = await here.shown(recording), await here.film(recording)
    assert is_finalised(mended.path)
    assert mended.duration_s == pytest.approx(film.duration_s, abs=0.1)
    assert shown["duration"] == pytest.approx(mended.duration_s, abs=0.1)
    assert shown["size"] == mended.path.stat().st_size
