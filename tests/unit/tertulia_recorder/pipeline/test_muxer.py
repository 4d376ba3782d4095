from pathlib import Path

import av
import pytest

from support.recorded_file import SMALL, decoded_seconds, write
from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.drawing.planes import Canvas, yuv
from tertulia_recorder.job import RecordingPreset
from tertulia_recorder.pipeline.formats import FORMATS
from tertulia_recorder.pipeline.muxer import Muxer
from tertulia_recorder.repair.growing_file import GrowingFile
from tertulia_recorder.repair.mp4 import is_finalised, measure


def test_a_finished_file_is_plain_and_whole(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with Muxer(path, SMALL) as muxer:
        write(muxer, 3)
    assert is_finalised(path)
    assert measure(path).duration_s == pytest.approx(3, abs=0.1)
    assert decoded_seconds(path) == pytest.approx(3)


def test_sound_alone(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with Muxer(path, FORMATS[RecordingPreset.AUDIO]) as muxer:
        write(muxer, 3, video=False)
    with av.open(str(path), mode="r") as container:
        assert not container.streams.video
        assert container.streams.audio[0].rate == 48_000
    assert measure(path).duration_s == pytest.approx(3, abs=0.1)


def test_skipped_frames_leave_the_others_in_their_place(tmp_path: Path):
    path = tmp_path / "a.mp4"
    canvas = Canvas(Size(160, 90), yuv(0, 0, 0))
    with Muxer(path, SMALL) as muxer:
        for tick in (0, 1, 2, 30, 60, 62):
            muxer.write_video(av.VideoFrame.from_numpy_buffer(canvas.buffer, "yuv420p"), tick)
    with av.open(str(path), mode="r") as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([n / 30 for n in (0, 1, 2, 30, 60, 62)], abs=0.002)


def test_the_first_fragment_is_short_and_the_others_are_not(tmp_path: Path):
    path = tmp_path / "a.part"
    muxer, growing = Muxer(path, SMALL), GrowingFile(path)
    write(muxer, 0.25)
    assert 0.05 < growing.playable_s() < 0.2
    write_from = growing.playable_s()
    muxer.close()
    assert measure(path).duration_s > write_from


def test_a_key_frame_comes_every_two_seconds(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with Muxer(path, SMALL) as muxer:
        write(muxer, 7)
    with av.open(str(path), mode="r") as container:
        keys = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.is_keyframe]
    # The file's time begins with the AAC encoder's delay, 21 ms, from the second frame on.
    assert [float(key) for key in keys] == pytest.approx([0, 0.12, 2.12, 4.12, 6.12], abs=0.005)
