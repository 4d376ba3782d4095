"""The npm package of the TypeScript client: what it holds, and its own tests against the real server."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest

from support.rest import API_KEY, RestServer

MODULES: Final = ("index", "calls", "errors", "methods", "models")
PACKAGE: Final = Path(__file__).resolve().parents[2] / "clients/typescript"


def run(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=PACKAGE, capture_output=True, text=True, check=False, timeout=100, env=os.environ | environment
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    run("npm", "pack", "--silent", "--pack-destination", str(folder))
    (archive,) = folder.glob("tertulia-client-*.tgz")
    return archive


def test_what_is_published(packed: Path):
    with tarfile.open(packed) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
    modules = {
        f"dist/{name}.{kind}" for name in ("index", "calls", "errors", "methods", "models") for kind in ("js", "d.ts")
    }
    assert names == {"package.json", "README.md", "LICENSE", *modules}


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_against_the_server(server: RestServer):
    recording = server.add_recording(server.create_room().name)
    run("node", "--test", "test/", URL=server.url, KEY=API_KEY, RECORDING=recording.id)
