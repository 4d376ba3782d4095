"""The garbage collection of a server process."""

import gc
from collections.abc import Iterator

import pytest

from tertulia.app.garbage_collection import tune_garbage_collection


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class _Node:
    def __init__(self) -> None:
        self.itself = self


def test_what_has_started_is_not_walked_again() -> None:
    before = gc.get_freeze_count()
    tune_garbage_collection()
    assert gc.get_freeze_count() > before
    assert gc.get_threshold()[0] > 1_000


def test_later_cycles_are_still_found() -> None:
    tune_garbage_collection()
    for _ in range(1_000):
        _Node()
    assert gc.collect() >= 1_000
