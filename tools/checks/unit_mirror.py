"""tests/unit mirrors the packages: each test file stands where its module does, and each pure module has one."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.checks.repository import PACKAGES, ROOT, shown, tracked

UNIT: Final = ROOT / "tests/unit"
PURE: Final = (
    "tertulia/domain",
    "tertulia/services",
    "tertulia_recorder/drawing",
    "tertulia_recorder/pipeline",
    "tertulia_recorder/repair",
    "tertulia_sfu/rooms",
)
"""Packages without I/O or behind ports: each of their modules that holds logic has a unit test file."""
TESTED_ELSEWHERE: Final[dict[str, str]] = {}
"""Modules of pure packages without a file in tests/unit; with the reason."""


def problems() -> Iterator[str]:
    """Yield test files without a module, and pure modules without a test file."""
    for path in tracked("tests/unit/**/test_*.py", "tests/unit/test_*.py"):
        place = path.relative_to(UNIT)
        if place.parts[0] in {"repository", "tools"}:
            continue
        module = Path(*place.parts[:-1], place.name.removeprefix("test_"))
        folder = PACKAGES.get(place.parts[0])
        if folder is None or not ((folder / module).is_file() or (folder / module.with_suffix("")).is_dir()):
            yield f"{shown(path)}: there is no {module}"
    for package in PURE:
        folder = PACKAGES[package.split("/")[0]]
        for path in sorted((folder / package).rglob("*.py")):
            module = path.relative_to(folder)
            test = UNIT / module.parent / f"test_{module.name}"
            if _has_logic(path) and not test.is_file() and str(module) not in TESTED_ELSEWHERE:
                yield f"{shown(path)}: there is no {shown(test)}"


def _has_logic(path: Path) -> bool:
    """Tell whether a module has a function that does something: protocols and plain values have none."""
    tree = ast.parse(path.read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(len(_statements(node)) > 1 for node in functions)


def _statements(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    return [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
