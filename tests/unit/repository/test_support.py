"""Modules of tests/support that are started as processes are imported by no test: a wrong name in one shows here."""

from __future__ import annotations

import importlib
from pathlib import Path

import support


def test_each_module_can_be_imported() -> None:
    for path in Path(support.__path__[0]).rglob("*.py"):
        if path.name != "__init__.py":
            importlib.import_module(".".join(("support", *path.relative_to(support.__path__[0]).with_suffix("").parts)))
