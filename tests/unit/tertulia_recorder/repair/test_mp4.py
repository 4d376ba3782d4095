"""Files that were left at any instant: repaired and measured."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import support
from support.recorded_file import SMALL, decoded_seconds, unfinished_file, write
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.repair.growing_file import GrowingFile
from tertulia_recorder.repair.mp4 import NothingRecordedError, cut_torn_tail, is_finalised, measure, repair


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a file of 5 s that is still being written."""
    return unfinished_file(tmp_path_factory.mktemp("running") / "x.part", 5)


@pytest.mark.parametrize("seconds", [1.0, 1.9, 2.1, 3.4, 5.0])
def test_what_was_written_is_in_the_file(tmp_path: Path, seconds: float):
    """All but the last second, at any instant: a kill loses this and what waits for its time (a quarter second)."""
    path = tmp_path / "a.part"
    muxer = Muxer(path, SMALL)
    write(muxer, seconds)
    left = tmp_path / "left.mp4"
    left.write_bytes(path.read_bytes())
    muxer.close()
    playable_s = GrowingFile(left).playable_s()
    assert repair(left, left).duration_s == pytest.approx(playable_s, abs=0.05)
    assert decoded_seconds(left) > seconds - 1
    assert playable_s > seconds - 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1))
def test_a_file_torn_anywhere_is_repaired_to_all_but_its_last_fragment(tmp_path: Path, running: bytes, part: float):
    source, target = tmp_path / "x.part", tmp_path / "x.mp4"
    target.unlink(missing_ok=True)
    kept = int(len(running) * part)
    source.write_bytes(running[:kept])
    try:
        summary = repair(source, target)
    except NothingRecordedError:
        assert part < 0.25
        assert not target.exists()
        return
    assert is_finalised(target)
    assert not source.exists()
    assert summary.bytes == target.stat().st_size
    assert summary.duration_s >= 5 * part - 1.2
    assert decoded_seconds(target) == pytest.approx(summary.duration_s, abs=0.2)


@pytest.mark.parametrize("kind", [b"moof", b"tfhd", b"trun"])
def test_a_damaged_film_keeps_its_beginning(tmp_path: Path, running: bytes, kind: bytes):
    """Bits that a disk turned, far behind the beginning: what is before them is a film, and nothing is thrown away."""
    at = running.index(kind, len(running) * 2 // 3)
    damaged = running[:at] + b"\xff" * 24 + running[at + 24 :]
    source, target = tmp_path / "x.part", tmp_path / "x.mp4"
    source.write_bytes(running[: running.rindex(b"moof", 0, at + 4) - 4])
    whole_s = GrowingFile(source).playable_s()
    source.write_bytes(damaged)
    assert repair(source, target).duration_s >= whole_s - 0.05
    assert whole_s > 2
    assert is_finalised(target)
    if measure(target).duration_s < 4:
        assert (tmp_path / "x.part.damaged").read_bytes() == damaged


def test_a_file_killed_after_its_last_byte_is_only_renamed(tmp_path: Path):
    source, target = tmp_path / "a.part", tmp_path / "a.mp4"
    with Muxer(source, SMALL) as muxer:
        write(muxer, 2)
    inode = source.stat().st_ino
    repair(source, target)
    assert target.stat().st_ino == inode
    assert repair(source, target) == measure(target), "again is harmless"


@pytest.mark.parametrize("content", [b"", b"\0", b"garbage" * 1000, b"\0\0\0\x08free"])
def test_what_was_never_a_recording_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "x.part"
    path.write_bytes(content)
    with pytest.raises(NothingRecordedError):
        repair(path, tmp_path / "x.mp4")
    with pytest.raises(NothingRecordedError):
        cut_torn_tail(tmp_path / "missing")


def test_a_disk_that_is_full_leaves_a_file_that_plays(tmp_path: Path):
    """In a process of its own, which may write 60 kB a file."""
    code = f"""
import os, resource, sys
from pathlib import Path
sys.path.insert(0, {str(Path(support.__file__).parent.parent)!r})
from support.recorded_file import SMALL, Muxer, write
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
muxer = Muxer(Path({str(tmp_path / "x.part")!r}), SMALL)
try:
    write(muxer, 20)
except OSError as error:
    print(error.errno)
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == errno.EFBIG, done.stderr
    assert repair(tmp_path / "x.part", tmp_path / "x.mp4").duration_s > 1
