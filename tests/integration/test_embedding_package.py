"""The npm package of `<tertulia-meet>`, and the examples that use it."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest

WEB: Final = Path(__file__).resolve().parents[2] / "web"
PACKAGE: Final = WEB / "embed"


def run(*command: str, folder: Path = PACKAGE) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    run("npm", "pack", "--silent", "--pack-destination", str(folder))
    (archive,) = folder.glob("tertulia-meet-*.tgz")
    return archive


def test_what_is_published(packed: Path) -> None:
    with tarfile.open(packed) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
        module = archive.extractfile("package/dist/tertulia-meet.js")
        assert module
        assert b"tertulia-meet" in module.read()
    assert names == {"package.json", "index.d.ts", "react.d.ts", "dist/tertulia-meet.js", "dist/types.d.ts"}


@pytest.mark.usefixtures("packed")
def test_the_types_fit_react() -> None:
    run("npx", "--no-install", "tsc", "--noEmit", "-p", "examples/react")


@pytest.mark.usefixtures("packed")
def test_the_types_fit_vue() -> None:
    run("node", "../build/vue_types.mjs", "--noEmit", "-p", "examples/vue")


@pytest.mark.parametrize("example", ["react", "vue"])
def test_an_example_is_built(example: str, tmp_path: Path) -> None:
    config = str(PACKAGE / "examples" / "vite.config.ts")
    run("npx", "--no-install", "vite", "build", f"examples/{example}", "-c", config, "--outDir", str(tmp_path / "out"))
    assert list((tmp_path / "out" / "assets").glob("*.js"))
