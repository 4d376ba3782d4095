"""LiveKit's limits: exact to the byte, and of bytes, not characters."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.rooms.limits import (
    MAX_ENUMERATED,
    MAX_LISTED_TRACKS,
    check_sizes,
    distinct_tracks,
    distinct_values,
)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"name": "n" * 256},
        {"name": "ü" * 256},
        {"metadata": "m" * 512 * 1024},
        {"metadata": "ü" * 256 * 1024},
        {"attributes": {"key": "v" * (64 * 1024 - 3)}},
    ],
)
def test_values_up_to_the_limit_pass(values: dict[str, Any]) -> None:
    check_sizes(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "n" * 257},
        {"metadata": "m" * (512 * 1024 + 1)},
        {"metadata": "ü" * 256 * 1024 + "m"},
        {"attributes": {"key": "v" * (64 * 1024 - 2)}},
        {"attributes": {"a": "v" * 32 * 1024, "b": "v" * 32 * 1024}},
    ],
)
def test_longer_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        check_sizes(**values)


def test_lists_are_distinct_and_bounded() -> None:
    assert distinct_tracks(["TR_1", "x" * 65, "TR_2", "TR_1"]) == ["TR_1", "TR_2"]
    assert len(distinct_tracks(str(number) for number in range(MAX_LISTED_TRACKS + 1))) == MAX_LISTED_TRACKS
    assert distinct_values([2, 1, 2]) == [2, 1]
    assert len(distinct_values(range(100))) == MAX_ENUMERATED
