"""What the console weighs, and what it may load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import tertulia
from support.rest import RestServer

WEB: Final = Path(tertulia.__file__).parent / "web_dist"
ASSETS: Final = WEB / "assets" / "console"
FIRST_VIEW_BUDGET_BYTES: Final = 70_000
CHARTS_BUDGET_BYTES: Final = 25_000


def size_bytes(path: Path) -> int:
    return Path(f"{path}.gz").stat().st_size


def test_first_view_is_small():
    html = (WEB / "console.html").read_text()
    named = {WEB / name for name in re.findall(r'="/(assets/[^"]+\.(?:js|css))"', html)}
    assert any(path.suffix == ".css" for path in named)
    # what those import at once is loaded with them
    known: set[Path] = set()
    while named - known:
        path = (named - known).pop()
        known.add(path)
        if path.suffix == ".js":
            imported = re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', path.read_text())
            named |= {ASSETS / name for name in imported}
    sizes = {path.name: size_bytes(path) for path in known}
    assert sum(sizes.values()) + size_bytes(WEB / "console.html") <= FIRST_VIEW_BUDGET_BYTES, sizes
    assert not any(name.startswith(("plot", "connection_checks", "qr_code")) for name in sizes)


def test_charts_are_small():
    sizes = {path.name: size_bytes(path) for path in ASSETS.glob("plot-*") if path.suffix in {".js", ".css"}}
    assert len(sizes) == 2
    assert sum(sizes.values()) <= CHARTS_BUDGET_BYTES, sizes


@pytest.mark.parametrize("path", ["/", "/console.html"])
def test_policy_is_strict(server: RestServer, path):
    answer = server.ask("GET", path, base="", key=None)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-cache"
    assert not re.search(r"<script(?![^>]* src=)|<style|style=", answer.text)
    script = re.search(r'src="(/assets/console/[^"]+)"', answer.text)
    assert script is not None
    assert "immutable" in server.ask("GET", script[1], base="", key=None).headers["cache-control"]
