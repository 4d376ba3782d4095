"""Python: no import cycle, files and functions of a readable size, docstrings on what is public."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.checks.repository import PACKAGES, cycles, shown, tracked

MAX_FILE_LINES: Final = 400
MAX_FUNCTION_LINES: Final = 50
MIN_DOCSTRINGS: Final = 0.95
LONGER: Final[dict[str, str]] = {}
"""Path, or path::function, that may be longer; with the reason."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def problems() -> Iterator[str]:
    """Yield what is wrong with the Python code, one line each."""
    trees = {path: ast.parse(path.read_text()) for path in tracked("*.py") if not _is_migration(path)}
    yield from _sizes(trees)
    product = {path: tree for path, tree in trees.items() if _module(path) is not None}
    yield from _import_cycles(product)
    yield from _docstrings(product)


def _is_migration(path: Path) -> bool:
    """Tell a migration: one script from top to bottom, by alembic's convention."""
    return "migrations/versions" in str(path)


def _sizes(trees: dict[Path, ast.Module]) -> Iterator[str]:
    for path, tree in trees.items():
        name, lines = shown(path), path.read_text().count("\n")
        if lines > MAX_FILE_LINES and name not in LONGER:
            yield f"{name}: {lines} lines (at most {MAX_FILE_LINES})"
        for node in ast.walk(tree):
            if isinstance(node, _Function) and f"{name}::{node.name}" not in LONGER:
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    yield f"{name}:{node.lineno}: {node.name} has {length} lines (at most {MAX_FUNCTION_LINES})"


def _module(path: Path) -> str | None:
    """Return the import name of a file of our packages; None for tests and tools."""
    for folder in PACKAGES.values():
        if path.is_relative_to(folder):
            return ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
    return None


def _import_cycles(trees: dict[Path, ast.Module]) -> Iterator[str]:
    modules = {_module(path) or "": tree for path, tree in trees.items()}
    imports = {module: sorted(set(_imported(tree)) & modules.keys() - {module}) for module, tree in modules.items()}
    for cycle in cycles(imports):
        yield f"import cycle: {', '.join(cycle)}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _docstrings(trees: dict[Path, ast.Module]) -> Iterator[str]:
    missing: list[str] = []
    count = 0
    for path, tree in trees.items():
        for name, node in _public(tree):
            count += 1
            if ast.get_docstring(node) is None:
                missing.append(f"{shown(path)}: {name}")
    if count and 1 - len(missing) / count < MIN_DOCSTRINGS:
        yield f"docstrings: {len(missing)} of {count} public things have none: {'; '.join(missing[:20])}"


def _public(tree: ast.Module) -> Iterator[tuple[str, ast.Module | ast.ClassDef | _Function]]:
    yield "the module", tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | _Function) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for each in node.body:
                    if isinstance(each, _Function) and not each.name.startswith("_"):
                        yield f"{node.name}.{each.name}", each
