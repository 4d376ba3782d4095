"""Cycles among modules, as every check of structure finds them."""

from __future__ import annotations

from tools.checks.repository import cycles


def test_a_cycle_is_found_with_all_its_members():
    assert list(cycles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})) == [["a", "b", "c"]]


def test_a_tree_has_none():
    assert list(cycles({"a": ["b", "c"], "b": ["c"], "c": []})) == []
