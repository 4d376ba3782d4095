"""Which section is given up when pictures wait longer and longer."""

from tertulia_recorder.receiving.overload import Overload

SECOND = 1_000_000


def observed(overload: Overload, lags_us: list[int], *, from_us: int = 0) -> list[str]:
    found = [overload.section_to_drop(from_us + n * 100_000, lag_us) for n, lag_us in enumerate(lags_us)]
    return [mid for mid in found if mid is not None]


def test_what_costs_most_is_given_up_while_the_lag_grows():
    overload = Overload()
    overload.spend("a", 10)
    overload.spend("b", 20)
    overload.spend("a", 15)
    assert observed(overload, [SECOND + n * 50_000 for n in range(9)]) == ["a"]


def test_a_lag_that_shrinks_is_not_overload():
    overload = Overload()
    overload.spend("a", 10)
    assert observed(overload, [3 * SECOND - n * 100_000 for n in range(30)]) == []


def test_a_short_lag_is_not_overload():
    overload = Overload()
    overload.spend("a", 10)
    assert observed(overload, [SECOND - 1] * 30) == []


def test_the_next_one_is_what_costs_most_since_then():
    overload = Overload()
    overload.spend("a", 100)
    assert observed(overload, [2 * SECOND] * 6) == ["a"]
    assert observed(overload, [2 * SECOND] * 20, from_us=SECOND) == [], "nothing else was decoded"
    overload.spend("b", 1)
    assert observed(overload, [2 * SECOND] * 7, from_us=10 * SECOND) == ["b"]
