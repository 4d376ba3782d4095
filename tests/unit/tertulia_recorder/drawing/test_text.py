import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia_recorder.drawing.text import BUNDLED_FONT, TextPainter, clean, directions, find_fonts, graphemes, initials

bundled = TextPainter([BUNDLED_FONT])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(8, 40), st.integers(20, 400))
def test_any_text_is_drawn_inside_its_width(text: str, size_px: int, width: int):
    drawing = bundled.draw(text, size_px, width)
    assert drawing.rgba.shape[1] <= width
    assert drawing.rgba.shape[0] <= 2 * size_px
    assert drawing.rgba.dtype == np.uint8


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202eevil\u202c", "evil"),
        ("a\x00b\x1b[31mc", "a b [31mc"),
        ("two\nlines\u2028three", "two lines three"),
        ("<b>x</b>", "<b>x</b>"),
        ("  much   room ", "much room"),
        ("e\u0301", "é"),
        ("a" + "\u0334" * 50, "a" + "\u0334" * 4),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
    ],
)
def test_hostile_names_become_one_harmless_line(name: str, shown: str):
    assert clean(name) == shown


def test_what_readers_see_as_one_character_stays_together():
    assert graphemes("e\u0334x") == ["e\u0334", "x"]
    assert graphemes("👩\u200d👩\u200d👧🇩🇪🇫🇷👍🏽") == ["👩\u200d👩\u200d👧", "🇩🇪", "🇫🇷", "👍🏽"]


def test_directions_of_mixed_text():
    assert directions(list("ab של")) == [True, True, None, False, False]
    assert directions(list("של 42 אב")) == [False, False, False, True, True, False, False, False]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("", "?"),
        ("  ", "?"),
        ("<<< >>>", "?"),
        ("李 小龍", "李小"),
        ("Ö (x)", "ÖX"),
    ],
)
def test_initials(name: str, letters: str):
    assert initials(name) == letters


def test_right_to_left_letters_are_drawn_from_the_right():
    """In alef-then-lamed the tall lamed must come out left of alef."""
    word = bundled.draw("אל", 40, 400).rgba[..., 3]
    above = word[: word.shape[0] // 3].sum(axis=0)
    assert above[: word.shape[1] // 2].sum() > 3 * above[word.shape[1] // 2 :].sum()


def test_arabic_letters_are_joined():
    joined = bundled.draw("سلام", 40, 400).rgba.shape[1]
    apart = bundled.draw("س\u200cل\u200cا\u200cم", 40, 400).rgba.shape[1]
    assert joined < apart


def test_a_long_name_ends_in_an_ellipsis():
    painter = bundled.draw("A name that is much too long for this", 20, 120)
    assert painter.rgba.shape[1] <= 120
    assert painter.rgba[..., 3].any()


def test_without_system_fonts_the_bundled_one_draws_something(tmp_path):
    assert find_fonts([tmp_path / "none"]) == [BUNDLED_FONT]
    assert bundled.draw("李小龍", 20, 200).rgba[..., 3].any(), "a box stands for what no font has"
