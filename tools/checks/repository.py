"""The files of the repository, and what several checks need of them."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = {
    "tertulia": ROOT / "server/src",
    "tertulia_client": ROOT / "clients/python/src",
    "tertulia_recorder": ROOT / "recorder/src",
    "tertulia_sfu": ROOT / "sfu/python",
}
"""Import name of each Python package, and the folder that it is imported from."""


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git tracks, or would track, under these patterns."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def shown(path: Path) -> str:
    """Return a path as messages show it."""
    return str(path.relative_to(ROOT))


def cycles(imports: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield each group of modules that import each other in a circle (strongly connected, by Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in imports.get(module, ()):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            at = stack.index(module)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for module in imports:
        if module not in index:
            visit(module)
    yield from found
