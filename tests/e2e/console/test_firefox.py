"""The console in Firefox: the first login, a room, a setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from support.firefox import firefox
from support.rest import running_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

_SUBMIT: Final = """
(name) => {
  const labels = [...document.querySelectorAll("label")];
  labels.find((one) => one.innerText.trim() === name).control.form.requestSubmit();
}
"""


async def test_the_console_works_in_firefox(tmp_path: Path, artefacts: Path) -> None:
    with running_server(tmp_path, TERTULIA_ADMIN_PASSWORD="") as server:
        printed = re.findall(r"password (\S+)", (tmp_path / "stdout").read_text())[0]
        async with firefox() as window:
            await window.open(f"{server.url}/")
            await window.fill("Password", printed)
            await window.press("Log in")
            await window.shows("Welcome to Tertulia")
            await window.press("Keep the printed one")
            await window.fill("Name", "from Firefox")
            await window.press("Create room")
            await window.press("Go to the console")
            await window.shows("from-Firefox-")

            server.create_room(roomNamePrefix="meanwhile")
            await window.shows("meanwhile-")  # the stream of events works

            await window.evaluate("() => { location.hash = '#/settings' }")
            await window.fill("Name", "Example AG")
            await window.evaluate(_SUBMIT, "Name")
            await window.shows("The settings were saved.")
            assert server.internal("GET", "/appearance").json() == {"name": "Example AG"}
            await window.screenshot(artefacts / "console-firefox.png")
            assert await window.page_errors() == []
