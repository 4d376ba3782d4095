import io
import struct
import tempfile
from typing import BinaryIO

import pytest

from tertulia_recorder.repair.boxes import Box, children, walk


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def large_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content


def file_of(data: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the test
    file.write(data)
    file.flush()
    return file


def test_boxes_are_found_from_any_box_on():
    file = file_of(box(b"ftyp", b"isom") + large_box(b"mdat", bytes(100)) + box(b"moof", b""))
    boxes = [Box(b"ftyp", 0, 12, True), Box(b"mdat", 12, 128, True), Box(b"moof", 128, 136, True)]
    assert list(walk(file)) == boxes
    assert list(walk(file, at=12)) == boxes[1:]


@pytest.mark.parametrize(
    ("data", "last"),
    [
        (box(b"mdat", bytes(10))[:-1], Box(b"mdat", 0, 18, False)),
        (b"\0\0", Box(b"", 0, 2, False)),
        (struct.pack(">I4s", 3, b"free"), Box(b"free", 0, 8, False)),
    ],
)
def test_what_the_file_ends_in_is_not_whole(data: bytes, last: Box):
    assert list(walk(file_of(data))) == [last]


def test_children_are_given_with_their_content():
    content = box(b"mfhd", b"1") + box(b"traf", box(b"tfhd", b"22"))
    assert list(children(content)) == [(b"mfhd", b"1"), (b"traf", box(b"tfhd", b"22"))]
    assert list(children(io.BytesIO(content).read(5))) == []
