"""The wheels, installed with pip into an empty environment: they serve and record without the repository.

Building takes a second for the Python wheels; the Rust one is compiled as far as cargo's target directory is out of
date (nothing after `make prepare`, a minute or two in a fresh clone). TERTULIA_WHEELS names a folder with wheels that
are already built.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from support.film import Film, is_like
from support.media_server_process import KEY, SECRET, MediaServerProcess
from support.product import API_KEY, Product
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone

ROOT: Final = Path(__file__).resolve().parents[2]
DISTRIBUTIONS: Final = {"tertulia", "tertulia_client", "tertulia_recorder", "tertulia_sfu"}
INSIDE: Final = {
    "/": "/assets/console/",
    "/docs/": "<h1",
    "/docs/api/quickstart.html": "tertulia-meet",
    "/meet/v1/tertulia-meet.js": "tertulia-meet",
    "/meet/v1/openvidu-meet.js": "openvidu-meet",
    "/meet/api/v1/docs": "<script",
}
"""What is served beside the meeting's page, and something that is in it."""
UV: Final = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".make/uv/bin"))

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif("TERTULIA_WHEELS" not in os.environ and UV is None, reason="needs uv to build wheels"),
]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All wheels, built as `make build` does."""
    folder = Path(os.environ.get("TERTULIA_WHEELS", ""))
    if not folder.name:
        folder = tmp_path_factory.mktemp("dist")
        assert UV is not None
        command = [UV, "build", "--all-packages", "--wheel", "--out-dir", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=600)
    found = sorted(folder.glob("*.whl"))
    assert {each.name.partition("-")[0] for each in found} == DISTRIBUTIONS
    return found


@pytest.fixture(scope="module")
def bin_folder(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The commands of an environment in which nothing but the wheels was installed."""
    path = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(path, with_pip=True)
    pip = [path / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *wheels], check=True, capture_output=True, timeout=600, cwd=path)
    yield path / "bin"
    shutil.rmtree(path)


@pytest.mark.skipif(UV is None, reason="needs uv")
def test_the_client_is_published_with_types_and_licence(tmp_path: Path):
    """Both forms that PyPI takes; `twine check` would look at the same fields."""
    subprocess.run(
        [UV, "build", "--package", "tertulia-client", "--out-dir", tmp_path], cwd=ROOT, check=True, timeout=300
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = {name.rpartition("/")[2] for name in wheel.namelist()}
        (metadata,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        told = wheel.read(metadata).decode()
    assert {"py.typed", "LICENSE", "client.py"} <= names
    for line in (
        "License-Expression: Apache-2.0",
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown",
    ):
        assert line in told
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as source:
        names = {name.rpartition("/")[2] for name in source.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "py.typed"} <= names


def test_nothing_is_imported_from_the_repository(bin_folder: Path):
    modules = "tertulia.app, tertulia_client, tertulia_recorder.composing, tertulia_sfu._core"
    code = f"import {modules}, sys; print(*sys.path)"
    done = subprocess.run([bin_folder / "python", "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert str(ROOT) not in done.stdout
    assert sys.prefix not in done.stdout


def test_every_command_starts(bin_folder: Path):
    for command in ("tertulia", "tertulia-sfu"):
        subprocess.run([bin_folder / command, "--help"], check=True, capture_output=True, timeout=60, cwd="/")
    recorder = [bin_folder / "python", "-m", "tertulia_recorder", "--help"]
    subprocess.run(recorder, check=True, capture_output=True, timeout=60, cwd="/")


async def test_they_serve_and_record(bin_folder: Path, tmp_path: Path):
    """Health, the page with its script, what else is in the package, and a recording of a real publisher."""
    settings = {"TERTULIA_MEDIA_API_KEY": KEY, "TERTULIA_MEDIA_API_SECRET": SECRET}
    settings["TERTULIA_RECORDING_MIN_FREE_BYTES"] = "1000000"
    product = Product(tmp_path, settings=settings, command=bin_folder / "tertulia")
    await product.start()
    try:
        room = await product.create_room("wheels")
        page = (await fetch(room.publisher)).decode()
        assert "<script" in page
        script = page.partition('src="')[2].partition('"')[0]
        assert len(await fetch(f"{product.own_url}/{script.lstrip('/')}")) > 10_000
        for path, words in INSIDE.items():
            assert words in (await fetch(f"{product.own_url}{path}")).decode(), path
        look = Look(COLOURS["green"], (320, 180))
        publisher = Publisher(MediaServerProcess(port=product.port), room.name, "a", look=look, sound=tone(440))
        async with in_meeting(publisher):
            recording = await product.ask("POST", "/recordings", {"roomName": room.name})
            await until_shown(product, recording["id"], lambda shown: shown["duration"] >= 2)
            await product.ask("PUT", f"/recordings/{recording['id']}")
            shown = await until_shown(product, recording["id"], lambda shown: shown["status"] == "STOPPED")
        path = tmp_path / "recording.mp4"
        path.write_bytes(await fetch(f"{product.own_url}/meet/api/v1/recordings/{recording['id']}/stream"))
    finally:
        await product.stop()
    film = Film(path)
    assert film.duration_s == pytest.approx(shown["duration"], abs=0.05)
    assert is_like(film.frame_at(1.5).reshape(-1, 3).mean(0), COLOURS["green"], 60)
    assert film.loudness(440, 1, 2) > 0.02


async def fetch(url: str) -> bytes:
    async with aiohttp.ClientSession(headers={"X-API-KEY": API_KEY}) as http, http.get(url) as response:
        assert response.status == 200, url
        return await response.read()


async def until_shown(product: Product, recording: str, holds: Any) -> dict[str, Any]:
    """Wait until the API shows the recording so."""
    async with asyncio.timeout(60):
        while True:
            shown: dict[str, Any] = await product.ask("GET", f"/recordings/{recording}")
            if holds(shown):
                return shown
            await asyncio.sleep(0.1)
