"""The tests of LiveKit's Python SDK against our media server: from its source archive."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from support import python_sdk_helpers
from support.media_servers import KEY, SECRET, Ports, ServerProcess, tertulia_sfu_command

LOCK: Final = Path(__file__).parents[2] / "uv.lock"
# those that speak to a server; of the four codecs H.265 is not in what is installed
FILES: Final = (
    "test_basic.py",
    "test_dc.py",
    "test_audio.py",
    "test_video.py",
    "test_change_video_quality.py",
    "test_e2ee_shared_key.py",
    "test_e2ee_per_participant.py",
)

pytestmark = pytest.mark.timeout(1800)


def _fetch_tests(folder: Path) -> Path:
    """Get the tests of the version that is locked here."""
    packages = tomllib.loads(LOCK.read_text())["package"]
    [source] = [each["sdist"] for each in packages if each["name"] == "livekit"]
    with urllib.request.urlopen(source["url"], timeout=60) as answer:
        content = answer.read()
    assert source["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    archive = tarfile.open(fileobj=io.BytesIO(content))  # noqa: SIM115 – closed below
    with archive:
        archive.extractall(folder, filter="data")
    [tests] = folder.glob("livekit-*/tests")
    shutil.copyfile(python_sdk_helpers.__file__, tests / "utils.py")
    (tests / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    return tests


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What became of the tests of each file: passed, skipped, or why it failed."""
    folder, ports = tmp_path_factory.mktemp("python-sdk"), Ports()
    tests, report = _fetch_tests(folder), folder / "report.xml"
    process = ServerProcess(tertulia_sfu_command(ports), ports, log=folder / "server.log")
    asyncio.run(process.start())
    environment = os.environ | {
        "LIVEKIT_URL": f"ws://127.0.0.1:{ports.http}",
        "LIVEKIT_API_KEY": KEY,
        "LIVEKIT_API_SECRET": SECRET,
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={report}", *FILES]
    try:
        subprocess.run(command, cwd=tests, env=environment, check=False)
    finally:
        process.kill()
    found: dict[str, list[str]] = {}
    for case in ET.parse(report).iter("testcase"):
        faults = [child.get("message", child.tag) for child in case if child.tag in {"failure", "error"}]
        skipped = case.find("skipped") is not None
        module = str(case.get("classname")).split(".")[0]
        found.setdefault(f"{module}.py", []).append("skipped" if skipped else (faults or ["passed"])[0])
    return found


@pytest.mark.parametrize("file", FILES)
def test_of_the_python_sdk_passes(outcomes: dict[str, list[str]], file: str) -> None:
    assert "passed" in outcomes[file]
    assert set(outcomes[file]) <= {"passed", "skipped"}, outcomes[file]
