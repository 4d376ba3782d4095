from pathlib import Path

import pytest

from support.recorded_file import SMALL, unfinished_file
from tertulia_recorder.job import RecordingPreset
from tertulia_recorder.pipeline.formats import FORMATS, Format
from tertulia_recorder.repair.growing_file import GrowingFile
from tertulia_recorder.repair.mp4 import repair


@pytest.mark.parametrize("form", [SMALL, FORMATS[RecordingPreset.AUDIO]], ids=["video", "audio"])
def test_how_much_is_playable_is_known_while_it_grows(tmp_path: Path, form: Format):
    """File-first: what counts as playable is, whatever was written of the next fragment."""
    running = unfinished_file(tmp_path / "x.part", 3, form)
    growing, path = GrowingFile(tmp_path / "growing"), tmp_path / "growing"
    assert growing.playable_s() == 0
    playable_s = [0.0]
    for length in range(0, len(running), 997):
        path.write_bytes(running[:length])
        playable_s.append(growing.playable_s())
        assert playable_s[-1] == GrowingFile(path).playable_s()
    assert playable_s == sorted(playable_s)
    assert len(set(playable_s)) > 3
    assert repair(path, tmp_path / "a.mp4").duration_s == pytest.approx(playable_s[-1], abs=0.05)
