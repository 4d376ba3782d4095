"""`python -m tools.console_picture`: take the README's picture of the console, with a meeting that runs."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import async_playwright, expect
from tests.support.administrator import Administrator
from tests.support.fake_media import write_voice
from tests.support.people import Person, browser_with
from tests.support.rest import running_server
from tools.readme_picture import ROOT, with_palette

PICTURE: Final = ROOT / "docs/images/console.png"
WINDOW: Final = {"width": 1280, "height": 800}


async def look(folder: Path) -> bytes:
    """Let two participants meet; return what the administrator sees of their room."""
    with running_server(folder) as server:
        room = server.create_room(roomNamePrefix="Monday standup", maxParticipants=12)
        voice = write_voice(folder / "voice.wav")
        async with async_playwright() as playwright, browser_with(playwright, voice=voice) as browser:
            for name, role in (("Ana", "moderator"), ("Ben", "publisher"), ("Eva", "viewer")):
                person = await Person.at(browser, name)
                await person.join(room.answer[f"{role}URL"])
            admin = await Administrator.of(server, browser, viewport=WINDOW)
            await admin.log_in()
            await admin.open_room(room.name)
            await expect(admin.person_row("Eva")).to_be_visible()
            await expect(admin.person_row("Ben").get_by_text("Camera on")).to_be_attached()
            return await admin.page.screenshot()


def main() -> None:
    """Take the picture."""
    with TemporaryDirectory() as folder:
        PICTURE.write_bytes(with_palette(asyncio.run(look(Path(folder)))))


if __name__ == "__main__":
    main()
