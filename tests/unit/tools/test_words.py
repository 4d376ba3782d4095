"""The check of words finds whole words and parts of identifiers, and nothing inside other words."""

from __future__ import annotations

import pytest
from tools.checks.words import _RETIRED


@pytest.mark.parametrize("text", ["to mend it", "Anew", "lastWords", "hang_up(", "self.intake", "WHOEVER", "theDoor"])
def test_retired_words_are_found(text: str):
    assert _RETIRED.search(text)


@pytest.mark.parametrize("text", ["recommend", "--no-install-recommends", "indoors", "amended", "troubleshooting"])
def test_parts_of_other_words_are_not(text: str):
    assert not _RETIRED.search(text)
