"""`make pictures T="name …"`: take the pictures of the page's states that docs/images keeps.

Two real browsers meet, with the faces of the README's picture; each state is photographed in the window that it is
about, in a size and a theme of its own.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright, expect
from tools.readme_picture import FACES, PICTURE, with_palette, write_camera

from support.fake_media import write_voice
from support.people import Person, browser_with
from support.product import Product, RoomLinks, running_product
from support.waiting import until

PLAYING: Final = "[...document.querySelectorAll('.tile video')].every((video) => video.currentTime > 0)"
DESK: Final = {"viewport": {"width": 1024, "height": 640}}
PHONE: Final = {"viewport": {"width": 375, "height": 667}}
LYING: Final = {"viewport": {"width": 667, "height": 375}}
DARK: Final = {"color_scheme": "dark"}
ARABIC: Final = {"locale": "ar"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Ana's window, which is photographed; Ben is in the meeting in another browser, muted, with his hand up."""

    ana: Person
    ben: Person
    room: RoomLinks
    bens_browser: Browser

    @property
    def page(self) -> Page:
        return self.ana.page

    async def join(self) -> None:
        """Join, whatever the language."""
        await self.form()
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator('[data-control="leave"]')).to_be_visible()
        await expect(self.page.locator(".tile video")).to_have_count(2)
        await until("all pictures move", lambda: self.page.evaluate(PLAYING))

    async def form(self) -> None:
        await self.ana.open(self.room.moderator)
        await self.page.locator("input#name").fill(self.ana.name)
        await expect(self.page.locator(".preview video")).to_be_visible()

    async def press(self, control: str) -> None:
        """Press a control, which on a phone may be in the menu."""
        button = self.page.locator(f'[data-control="{control}"]')
        if not await button.is_visible():
            await self.page.locator('[data-control="more"]').click()
        await button.click()

    async def panel(self, control: str) -> None:
        await self.join()
        await self.press(control)
        await expect(self.page.locator("aside, dialog, .more-menu.open, .reactions-menu").first).to_be_visible()


async def form(stage: Stage) -> None:
    await stage.form()


async def meeting(stage: Stage) -> None:
    await stage.join()


async def people(stage: Stage) -> None:
    await stage.panel("people")
    await stage.page.locator('[data-identity="Ben"] button[aria-expanded]').click()


async def chat(stage: Stage) -> None:
    await stage.join()
    await stage.press("chat")
    await expect(stage.page.locator(".composer input, .composer textarea")).to_be_focused()
    for message in ("Good morning!", "The plan: https://example.org/plan"):
        await stage.page.keyboard.type(message)
        await stage.page.keyboard.press("Enter")
    await expect(stage.page.locator(".messages .words")).to_have_count(2)


async def reactions(stage: Stage) -> None:
    await stage.panel("reactions")
    await stage.page.locator(".reactions-menu button").nth(2).click()
    await expect(stage.ana.tile_of("Ana").get_by_test_id("reactions")).to_be_visible()


async def menu(stage: Stage) -> None:
    await stage.panel("more")


async def devices(stage: Stage) -> None:
    await stage.panel("devices")


async def help_dialog(stage: Stage) -> None:
    await stage.panel("help")


async def speaker(stage: Stage) -> None:
    await stage.join()
    await stage.ana.press("Speaker view")
    await expect(stage.page.locator(".stage .tile video")).to_be_visible()


async def recordings(stage: Stage) -> None:
    await stage.join()
    await stage.press("record")
    await expect(stage.page.get_by_test_id("recording")).to_be_visible()
    await stage.press("recordings")
    length = stage.page.get_by_test_id("length")
    await expect(length).not_to_have_text("0:00")


async def guests(stage: Stage) -> None:
    await stage.panel("people")
    eva = await waiting(stage)
    await expect(stage.page.locator(".guests li")).to_be_visible()
    await eva.page.context.close()


async def waiting(stage: Stage) -> Person:
    """Let a guest wait in the lobby."""
    eva = await Person.at(stage.bens_browser, "Eva", **PHONE)
    await eva.open(stage.room.publisher)
    await eva.fill_in()
    await eva.press_join()
    await expect(eva.page.get_by_test_id("lobby")).to_be_visible()
    return eva


async def lobby(stage: Stage) -> None:
    await stage.ana.open(stage.room.publisher)
    await stage.ana.fill_in()
    await stage.ana.press_join()
    await expect(stage.page.get_by_test_id("lobby")).to_be_visible()
    await expect(stage.page.locator(".preview video")).to_be_visible()


async def left(stage: Stage) -> None:
    await stage.join()
    await stage.press("leave")
    await expect(stage.ana.end_screen("left")).to_be_visible()


Take = Callable[[Stage], Awaitable[None]]
LOBBY: Final = frozenset({"guests", "lobby-phone"})
STATES: Final[dict[str, tuple[Take, dict[str, Any]]]] = {
    "form": (form, DESK),
    "form-phone-dark": (form, PHONE | DARK),
    "lobby-phone": (lobby, PHONE),
    "guests": (guests, DESK),
    "people": (people, DESK),
    "people-arabic-dark": (people, DESK | DARK | ARABIC),
    "chat-dark": (chat, DESK | DARK),
    "reactions": (reactions, DESK),
    "speaker-view": (speaker, DESK),
    "recordings": (recordings, DESK),
    "devices": (devices, DESK),
    "help-dark": (help_dialog, DESK | DARK),
    "phone": (meeting, PHONE),
    "phone-menu": (menu, PHONE),
    "phone-people-dark": (people, PHONE | DARK),
    "phone-chat": (chat, PHONE),
    "phone-lying": (meeting, LYING),
    "forced-colours": (people, DESK | {"forced_colors": "active"}),
    "left": (left, DESK),
}


@asynccontextmanager
async def meeting_with_ben(
    product: Product, browser: Browser, *, lobby_on: bool
) -> AsyncIterator[tuple[Person, RoomLinks]]:
    room = await product.create_room("Monday-standup", preferences={"lobbyPreferences": {"enabled": lobby_on}})
    ben = await Person.at(browser, "Ben")
    # as a moderator he needs nobody to let him in
    await ben.join(room.moderator if lobby_on else room.publisher)
    await ben.press("Mute")
    await ben.press("Raise hand")
    yield ben, room
    await ben.page.context.close()


async def take(names: list[str], folder: Path) -> None:
    """Take the pictures of these states."""
    voice = write_voice(folder / "voice.wav")
    # Chromium calls a camera by its path
    os.chdir(folder)
    cameras = [write_camera(face, Path(name)) for face, name in zip(FACES, ("Camera.y4m", "B.y4m"), strict=False)]
    async with running_product(folder) as product, async_playwright() as playwright, AsyncExitStack() as browsers:
        anas, bens = [
            await browsers.enter_async_context(browser_with(playwright, picture=camera, voice=voice))
            for camera in cameras
        ]
        for name in names:
            prepare, look = STATES[name]
            async with meeting_with_ben(product, bens, lobby_on=name in LOBBY) as (ben, room):
                ana = await Person.at(anas, "Ana", reduced_motion="reduce", **look)
                await prepare(Stage(ana, ben, room, bens))
                await ana.page.mouse.move(0, 0)
                picture = await ana.page.screenshot()
                (PICTURE.parent / f"{name}.png").write_bytes(with_palette(picture))
                await ana.page.context.close()


def main() -> None:
    """Take all pictures, or those that are named."""
    with TemporaryDirectory() as folder:
        asyncio.run(take(sys.argv[1:] or list(STATES), Path(folder)))


if __name__ == "__main__":
    main()
