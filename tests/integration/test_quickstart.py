"""docs/api/quickstart.md runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.rest import API_KEY, RestServer

DOCUMENT = Path(__file__).parents[2] / "docs/api/quickstart.md"
RUN = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "-e"],
}
BLOCKS = re.findall(r"```(\w+) test\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def test_all_three_languages():
    """(issue 4) a quickstart in curl, Python and JavaScript that the tests run as they stand."""
    assert {language for language, _text in BLOCKS} == set(RUN)


@pytest.mark.parametrize(("language", "text"), BLOCKS, ids=[language for language, _text in BLOCKS])
def test_block(server: RestServer, language: str, text: str):
    environment = os.environ | {"URL": server.url, "KEY": API_KEY}
    done = subprocess.run(
        [*RUN[language], text], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "secret=" in done.stdout
