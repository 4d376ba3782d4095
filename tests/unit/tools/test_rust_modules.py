"""The check of the Rust crates finds what it is for, and the crates pass it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = "fn long() {\n" + "    call();\n" * 50 + "}\n"


def check(crates: Path) -> tuple[int, str]:
    script = ROOT / "tools" / "checks" / "rust_modules.py"
    done = subprocess.run([sys.executable, str(script), str(crates)], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def crate(directory: Path, **files: str) -> Path:
    for name, code in files.items():
        file = directory / "core" / "src" / (name.replace("__", "/") + ".rs")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    return directory


def test_our_crates_pass() -> None:
    assert check(ROOT / "sfu" / "crates") == (0, "")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("use crate::b::B;", "use crate::a::A;"),
        ("use crate::{\n    b::{self, B},\n};", "fn f() { crate::a::g(); }"),
        ("use super::b::B as Other;", "use self::super::a;"),
        ("pub struct State;", "use crate::a::State;\nimpl State { fn leak(&self) {} }"),
        ("pub struct State<T>(T);", "use crate::a::State;\nimpl<T: Into<Vec<u8>>> State<T> { fn leak(&self) {} }"),
    ],
)
def test_circles_are_found(tmp_path: Path, a: str, b: str) -> None:
    code, said = check(crate(tmp_path, lib="mod a;\nmod b;\n", a=a, b=b))
    assert (code, said) == (1, "core: modules depend on each other: crate::a, crate::b\n")


def test_a_child_that_uses_its_parent_is_a_circle(tmp_path: Path) -> None:
    files = {"lib": "mod a;", "a__mod": "mod child;\npub use child::C;", "a__child": "use super::Shared;"}
    assert check(crate(tmp_path, **files)) == (1, "core: modules depend on each other: crate::a, crate::a::child\n")


@pytest.mark.parametrize(
    "b",
    [
        '// use crate::a::A;\n/* crate::a::A */\nconst TEXT: &str = "crate::a::A";',
        "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n    fn f() { if true {} }\n}",
        "use other::a::A;\nimpl Display for State { fn fmt(&self) {} }",
        "fn f<'a>(x: &'a str) -> char { '\"' }\n// use crate::a::A;",
    ],
)
def test_what_is_not_a_dependency_is_not_one(tmp_path: Path, b: str) -> None:
    assert check(crate(tmp_path, lib="mod a;\nmod b;\n", a="use crate::b::B;\npub struct State;", b=b)) == (0, "")


def test_long_functions_and_files_are_found(tmp_path: Path) -> None:
    code, said = check(crate(tmp_path, lib="\n" * 5 + FUNCTION + "\n" * 400))
    assert code == 1
    assert said.splitlines() == [
        "core/src/lib.rs:6: long has 52 lines, more than 50",
        "core/src/lib.rs: 457 lines, more than 400",
    ]


def test_unit_tests_may_be_long_functions(tmp_path: Path) -> None:
    assert check(crate(tmp_path, lib=f"#[cfg(test)]\nmod tests {{\n{FUNCTION}}}\n")) == (0, "")
