"""A part of `make pictures`: take the pictures of the console that the README and docs/console.md show."""

import asyncio
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import async_playwright, expect
from tools.readme_picture import ROOT, with_palette

from support.administrator import Administrator
from support.fake_media import write_voice
from support.people import Person, browser_with
from support.rest import RestServer, TestRoom, now_ms, running_server
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.ids import Millis
from tertulia.domain.insight import FINE_STEP_S, Step

PICTURES: Final = ROOT / "docs/images"
WINDOW: Final = {"width": 1280, "height": 800}
LOW_WINDOW: Final = {"width": 1280, "height": 620}
ROOMS: Final = ("Interview", "Board meeting", "Support", "Design review", "Piano lesson")
STEP_MS: Final = FINE_STEP_S * 1000


def add_a_day(tx: SqlTransaction) -> None:
    """Count what a server with some hundred users would have counted: a day, with a night in it."""
    now = now_ms() // STEP_MS
    for ago in range(1, 288):
        by_day = max(0.0, math.sin(math.pi * (ago + 60) / 200))
        people = round(by_day * (60 + 12 * math.sin(ago * 1.7) + 7 * math.sin(ago / 3)))
        sent = people * STEP_MS * 160
        step = Step(
            begin_ms=Millis((now - ago) * STEP_MS),
            participants=people,
            rooms=math.ceil(people / 4),
            recordings=people // 14,
            covered_ms=STEP_MS,
            received_bytes=sent // 3,
            sent_bytes=sent,
        )
        tx.insight.add("another server", step)


async def shown(admin: Administrator) -> dict[str, bytes]:
    """Return pictures of the sections, by name."""
    page = admin.page
    await expect(page.locator(".state.live")).to_have_count(2)
    pictures = {"console-rooms": await page.screenshot()}
    await admin.go("Insight")
    await expect(page.locator(".charts canvas")).to_have_count(4)
    pictures["console-insight"] = await page.screenshot()
    await admin.go("Health")
    await admin.press("Test the connection")
    await expect(page.locator('[data-check="tcp"]')).to_have_attribute("data-result", "works")
    await expect(page.get_by_role("button", name="Test again")).to_be_enabled()
    pictures["console-health"] = await page.screenshot()
    return pictures


async def look(server: RestServer, standup: TestRoom, folder: Path) -> dict[str, bytes]:
    """Let participants meet in two rooms; return what the administrator sees."""
    other = [server.create_room(roomNamePrefix=name) for name in ROOMS][2]
    voice = write_voice(folder / "voice.wav")
    async with async_playwright() as playwright, browser_with(playwright, voice=voice) as browser:
        for name, role in (("Ana", "moderator"), ("Ben", "publisher"), ("Eva", "viewer")):
            await (await Person.at(browser, name)).join(standup.answer[f"{role}URL"])
        await (await Person.at(browser, "Mia")).join(other.answer["moderatorURL"])
        admin = await Administrator.of(server, browser, viewport=LOW_WINDOW)
        await admin.log_in()
        pictures = await shown(admin)
        await admin.page.set_viewport_size(WINDOW)
        await admin.open_room(standup.name)
        await expect(admin.person_row("Eva")).to_be_visible()
        await expect(admin.person_row("Ben").get_by_text("Camera on")).to_be_attached()
        return pictures | {"console": await admin.page.screenshot()}


def main() -> None:
    """Take the pictures."""
    with TemporaryDirectory() as name, running_server(Path(name)) as server:
        standup = server.create_room(roomNamePrefix="Monday standup", maxParticipants=12)
        server.write(add_a_day)
        for picture, png in asyncio.run(look(server, standup, Path(name))).items():
            (PICTURES / f"{picture}.png").write_bytes(with_palette(png))


if __name__ == "__main__":
    main()
