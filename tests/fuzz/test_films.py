"""Films to repair: whatever is wrong with one, its repair ends, and what was good before the damage is kept."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from fuzz.conftest import Fuzzing
from fuzz.corpus import films
from fuzz.mutation import mutated_bytes
from tertulia_recorder.repair.growing_file import GrowingFile
from tertulia_recorder.repair.mp4 import NothingRecordedError, repair

LONGEST_REPAIR_S: Final = 10
LOST_AT_MOST_S: Final = 0.1


def repaired_s(path: Path) -> float:
    """Repair a film. Return how long it is then, 0 where there is nothing."""
    try:
        return repair(path, path.with_suffix(".mp4")).duration_s
    except NothingRecordedError:
        return 0.0


def is_imported() -> bool:
    """Run in the process once what it needs is imported."""
    return True


@pytest.fixture
def worker() -> Iterator[ProcessPoolExecutor]:
    """A process that repairs, which may crash."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(is_imported).result(60)  # which takes seconds on a busy machine
        yield pool


def test_films_to_repair(tmp_path: Path, worker: ProcessPoolExecutor, fuzzing: Fuzzing) -> None:
    random, corpus = fuzzing.random, films()
    source, before = tmp_path / "film.part", tmp_path / "before"
    for number in fuzzing.rounds(400):
        film = random.choice(corpus)
        at = random.randrange(len(film))
        damaged = film[:at] + mutated_bytes(random, film[at:], corpus, longest=1 << 20)
        before.write_bytes(film[:at])
        good_s = GrowingFile(before).playable_s()
        source.write_bytes(damaged)
        left_s = worker.submit(repaired_s, source).result(LONGEST_REPAIR_S)
        assert left_s >= good_s - LOST_AT_MOST_S, (number, at, good_s, left_s)
