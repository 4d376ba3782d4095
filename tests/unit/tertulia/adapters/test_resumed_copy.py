"""A copy that was cut off goes on where it stopped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tertulia.adapters.resumed_copy import copy_in_parts

PART_BYTES = 1000
CONTENT = os.urandom(5 * PART_BYTES + 1)


class Parts:
    """Counts parts, and fails before one of them."""

    def __init__(self, *, fails_before: int = 100) -> None:
        self.count = 0
        self._fails_before = fails_before

    async def before_part(self) -> None:
        self.count += 1
        if self.count == self._fails_before:
            raise TimeoutError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.mp4"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "store" / "id" / "film.mp4"


async def copy(source: Path, target: Path, parts: Parts) -> None:
    await copy_in_parts(source, target, part_bytes=PART_BYTES, before_part=parts.before_part)


async def test_it_does_not_start_from_zero(source: Path, target: Path) -> None:
    with pytest.raises(TimeoutError):
        await copy(source, target, Parts(fails_before=5))
    assert not target.exists(), "it appears when it is whole"
    rest = Parts()
    await copy(source, target, rest)
    assert target.read_bytes() == CONTENT
    assert rest.count == 4, "four parts were there; the last one may be from before a power cut; and the name is one"
    assert [path.name for path in target.parent.iterdir()] == [target.name]


async def test_the_last_part_is_not_trusted(source: Path, target: Path) -> None:
    with pytest.raises(TimeoutError):
        await copy(source, target, Parts(fails_before=4))
    (partial,) = target.parent.iterdir()
    with partial.open("r+b") as file:
        file.seek(2 * PART_BYTES)
        file.write(bytes(PART_BYTES))
    await copy(source, target, Parts())
    assert target.read_bytes() == CONTENT


async def test_what_another_source_left_is_not_continued(source: Path, target: Path) -> None:
    with pytest.raises(TimeoutError):
        await copy(source, target, Parts(fails_before=5))
    other = bytes(len(CONTENT))
    source.write_bytes(other)
    os.utime(source, ns=(0, 0))
    await copy(source, target, Parts())
    assert target.read_bytes() == other
    assert [path.name for path in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 2 * PART_BYTES])
async def test_every_size(tmp_path: Path, target: Path, size: int) -> None:
    source = tmp_path / "source.mp4"
    source.write_bytes(CONTENT[:size])
    await copy(source, target, Parts())
    assert target.read_bytes() == CONTENT[:size]
