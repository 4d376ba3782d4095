"""Colours that cannot be read are refused."""

from __future__ import annotations

import pytest

from tertulia.domain.appearance import contrast, contrast_problem, is_colour


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#ffffff", "#ffffff", 1.0),
        ("#0f6b63", "#ffffff", 6.4),
    ],
)
def test_contrast(one: str, other: str, ratio: float):
    """Values of WCAG's own definition, as contrast checkers show them."""
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.05)


def test_problems():
    assert contrast_problem("accentLight", "#0f6b63") is None
    assert contrast_problem("accentDark", "#5fd6c4") is None
    assert "1.0" in (contrast_problem("accentLight", "#fefefe") or "")
    assert contrast_problem("accentDark", "#222222") is not None


@pytest.mark.parametrize("text", ["", "#fff", "red", "#gggggg", "#1234567", "#123456\n"])
def test_what_is_no_colour(text: str):
    assert not is_colour(text)
