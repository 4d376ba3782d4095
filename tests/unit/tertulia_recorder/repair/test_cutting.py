from pathlib import Path

import pytest

from support.recorded_file import SMALL, decoded_seconds, unfinished_file, write
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.repair.cutting import NothingBeforeEndError, cut_end
from tertulia_recorder.repair.mp4 import is_finalised, measure


@pytest.fixture(params=[True, False], ids=["finished", "in fragments"])
def film(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a file of three seconds, finished or as far as it was written."""
    path = tmp_path / "x.mp4"
    if request.param:
        with Muxer(path, SMALL) as muxer:
            write(muxer, 3)
    else:
        path.write_bytes(unfinished_file(path, 3))
    return path


@pytest.mark.parametrize("until_s", [0.02, 1.0, 1.7])
def test_nothing_is_left_after_the_end(film: Path, until_s: float):
    cut_end(film, until_s)
    assert measure(film).duration_s == pytest.approx(until_s, abs=0.05)
    assert decoded_seconds(film) == pytest.approx(until_s, abs=0.05)
    assert is_finalised(film)
    assert [path.name for path in film.parent.iterdir()] == [film.name]


def test_what_ends_in_time_is_left_as_it_is(film: Path):
    before = film.read_bytes()
    for until_s in (3.0, 2.99, 100.0):
        cut_end(film, until_s)
    assert film.read_bytes() == before


@pytest.mark.parametrize("until_s", [0.0, -5.0])
def test_what_begins_after_the_end_is_deleted(film: Path, until_s: float):
    with pytest.raises(NothingBeforeEndError):
        cut_end(film, until_s)
    assert not film.exists()
