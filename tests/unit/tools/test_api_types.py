"""The check of the page's API types finds a stale file."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TYPES = ROOT / "web/src/api/schema.d.ts"

pytestmark = pytest.mark.skipif(
    not (ROOT / "web/build/api-types/node_modules").is_dir(), reason="needs the page's packages: npm ci in web/"
)


def problems(types: Path) -> str:
    code = f"import pathlib; from tools.checks import api_types; api_types.TYPES = pathlib.Path({str(types)!r})"
    code += "; api_types.shown = str; print(*api_types.problems(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout.strip()


def test_our_types_pass() -> None:
    assert problems(TYPES) == ""


def test_a_missing_operation_and_a_missing_file_are_found(tmp_path: Path) -> None:
    stale = tmp_path / "schema.d.ts"
    assert "is stale" in problems(stale)
    stale.write_text(TYPES.read_text().replace("createStreamTicket", "createTicket"))
    assert "is stale" in problems(stale)
