"""The `fields` parameter: which top-level names of an answer are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Pick = Callable[[dict[str, Any]], dict[str, Any]]


def parse_fields(text: str | None) -> Pick:
    """Make a function that keeps the wanted names; empty (or only commas) means all, unknown names are ignored."""
    wanted = {name.strip() for name in (text or "").split(",")} - {""}
    if not wanted:
        return lambda answer: answer
    return lambda answer: {name: value for name, value in answer.items() if name in wanted}
