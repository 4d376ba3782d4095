"""Check the Rust crates: no circle among a crate's modules, no function over 50 lines, no file over 400 lines.

    python tools/checks/rust_modules.py [CRATES_DIRECTORY]

A module depends on another one if it declares it (`mod`), names it in a path that starts with `crate`, `self`, `super`
or a child module, or holds inherent methods (`impl Type`) of a type that the other one defines. The last counts in both
directions: state that two modules write is one module in two files.

Unit tests (`#[cfg(test)] mod`) count for the length of files and for nothing else.
"""

import re
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MAX_FUNCTION_LINES: Final = 50
MAX_FILE_LINES: Final = 400

FUNCTION_EXCEPTIONS: Final[dict[str, str]] = {}
"""`crate/src/file.rs::function` and why it may be longer."""
FILE_EXCEPTIONS: Final[dict[str, str]] = {}
"""`crate/src/file.rs` and why it may be longer."""

_NOT_CODE: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(?P<hashes>\#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n]+?|[^'\\\n])'""",
    re.DOTALL,
)
_TEST_MODULE: Final = re.compile(r"#\[cfg\(test\)\]\s*mod \w+\s*\{")
_MODULE: Final = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?mod (\w+)\s*;", re.MULTILINE)
_USE: Final = re.compile(r"\buse\s+([^;]+);")
_PATH: Final = re.compile(r"\b(?:crate|self|super)(?:::\w+)+")
_TYPE: Final = re.compile(r"\b(?:struct|enum|union|trait|type)\s+(\w+)")
_IMPL: Final = re.compile(r"^\s*impl\b([^{;]*)\{", re.MULTILINE)
_FUNCTION: Final = re.compile(r"\bfn (\w+)")

ModulePath = tuple[str, ...]


@dataclass
class Module:
    """One source file: `code` has no comments, no contents of strings and no unit tests."""

    path: ModulePath
    file: Path
    code: str
    uses: set[ModulePath] = field(default_factory=set)


def main(arguments: list[str]) -> int:
    """Print what is wrong; return 1 if anything is."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2] / "sfu" / "crates"
    problems = [problem for crate in sorted(root.iterdir()) if crate.is_dir() for problem in check_crate(crate)]
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


def check_crate(crate: Path) -> Iterator[str]:
    """Yield a line for each circle, long function and long file of a crate."""
    modules = read_modules(crate / "src")
    link(modules)
    for circle in circles({path: module.uses for path, module in modules.items()}):
        names = ", ".join("::".join(["crate", *path]) for path in circle)
        yield f"{crate.name}: modules depend on each other: {names}"
    for module in modules.values():
        name = module.file.relative_to(crate.parent).as_posix()
        for function, line, length in functions(module.code):
            if length > MAX_FUNCTION_LINES and f"{name}::{function}" not in FUNCTION_EXCEPTIONS:
                yield f"{name}:{line}: {function} has {length} lines, more than {MAX_FUNCTION_LINES}"
    for file in sorted(crate.glob("**/*.rs")):
        name, lines = file.relative_to(crate.parent).as_posix(), len(file.read_text().splitlines())
        if lines > MAX_FILE_LINES and name not in FILE_EXCEPTIONS:
            yield f"{name}: {lines} lines, more than {MAX_FILE_LINES}"


def read_modules(source: Path) -> dict[ModulePath, Module]:
    """Return a crate's modules by their path; the crate's root is the empty path."""
    modules = {}
    for file in sorted(source.glob("**/*.rs")):
        parts = file.relative_to(source).with_suffix("").parts
        path = parts[:-1] if parts[-1] in {"mod", "lib", "main"} else parts
        modules[path] = Module(path, file, without_tests(without_comments(file.read_text())))
    return modules


def without_comments(code: str) -> str:
    """Blank comments and literals, so that braces and names in them do not count; lines stay where they are."""
    return _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), code)


def without_tests(code: str) -> str:
    """Blank `#[cfg(test)]` modules."""
    while match := _TEST_MODULE.search(code):
        end = block_end(code, match.end() - 1)
        code = code[: match.start()] + re.sub(r"[^\n]", " ", code[match.start() : end]) + code[end:]
    return code


def block_end(code: str, start: int) -> int:
    """Return the position after the brace that closes the one at `start`."""
    depth = 0
    for position in range(start, len(code)):
        depth += {"{": 1, "}": -1}.get(code[position], 0)
        if depth == 0:
            return position + 1
    return len(code)


def link(modules: dict[ModulePath, Module]) -> None:
    """Fill in what each module uses."""
    owners: dict[str, list[ModulePath]] = {}
    for module in modules.values():
        for name in _TYPE.findall(module.code):
            owners.setdefault(name, []).append(module.path)
    for module in modules.values():
        for path in paths(module):
            absolute = resolve(module.path, path)
            target = None if absolute is None else deepest(absolute, modules)
            if target is not None and target != module.path:
                module.uses.add(target)
        for name in inherent_impls(module.code):
            defined_in = owners.get(name, [])
            if len(defined_in) == 1 and module.path not in defined_in:
                module.uses.add(defined_in[0])
                modules[defined_in[0]].uses.add(module.path)


def inherent_impls(code: str) -> Iterator[str]:
    """Yield the types that have methods here, those of traits left out."""
    for found in _IMPL.findall(code):
        head = found.replace("->", "  ")
        if " for " in head:
            continue
        # generic parameters come first, and may hold bounds with parameters of their own
        while head != (shorter := re.sub(r"<[^<>]*>", " ", head)):
            head = shorter
        yield head.split()[0].rsplit("::", maxsplit=1)[-1]


def paths(module: Module) -> Iterator[tuple[str, ...]]:
    """Yield every path in a module that may lead to another one."""
    children = _MODULE.findall(module.code)
    for child in children:
        yield ("self", child)
    for tree in _USE.findall(module.code):
        for path in expand(" ".join(tree.split())):
            yield ("self", *path) if path[0] in children else path
    for path in _PATH.findall(_USE.sub("", module.code)):
        yield tuple(path.split("::"))


def expand(tree: str) -> list[tuple[str, ...]]:
    """Return the paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`."""
    if "{" not in tree:
        return [tuple(part.strip() for part in tree.split(" as ", maxsplit=1)[0].split("::"))]
    head, rest = tree.split("{", 1)
    prefix = tuple(part.strip() for part in head.split("::") if part.strip())
    return [prefix + path for branch in branches(rest.rsplit("}", 1)[0]) for path in expand(branch)]


def branches(text: str) -> Iterator[str]:
    """Split at the commas outside of braces."""
    depth, start = 0, 0
    for position, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield text[start:position]
            start = position + 1
    if text[start:].strip():
        yield text[start:]


def resolve(module: ModulePath, path: tuple[str, ...]) -> ModulePath | None:
    """Return an absolute path in the crate, None for another crate's."""
    if path[0] == "crate":
        return path[1:]
    if path[0] not in {"self", "super"}:
        return None
    base = module
    while path and path[0] in {"self", "super"}:
        base = base if path[0] == "self" else base[:-1]
        path = path[1:]
    return base + path


def deepest(path: ModulePath, modules: Container[ModulePath]) -> ModulePath:
    """Return the deepest module on a path; a name that is not a module belongs to the one before it."""
    while path and path not in modules:
        path = path[:-1]
    return path


def circles(graph: dict[ModulePath, set[ModulePath]]) -> list[list[ModulePath]]:
    """Return the strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[ModulePath, int] = {}
    low: dict[ModulePath, int] = {}
    stack: list[ModulePath] = []
    found: list[list[ModulePath]] = []

    def visit(node: ModulePath) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph[node]:
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def functions(code: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, first line and number of lines of every function that has a body."""
    for match in _FUNCTION.finditer(code):
        body, semicolon = code.find("{", match.end()), code.find(";", match.end())
        if body == -1 or -1 < semicolon < body:
            continue
        first = code.count("\n", 0, match.start()) + 1
        yield match[1], first, code.count("\n", match.start(), block_end(code, body)) + 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
