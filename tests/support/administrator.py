"""An administrator with a browser window, and a store to look at."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any, Final, Protocol

from playwright.async_api import Browser, Locator, Route, expect

from .accessibility import overflows, violations
from .people import People, Person
from .rest import FAR, PASSWORD, RestServer, now_ms

DESKTOP: Final = {"width": 1440, "height": 900}
TABLET: Final = {"width": 768, "height": 1024}
PHONE: Final = {"width": 375, "height": 667}
SCHEMES: Final = ("light", "dark")
SIZES: Final = {"desktop": DESKTOP, "tablet": TABLET, "phone": PHONE}
_FOCUSED: Final = """
() => {
  const { ariaLabel, labels, textContent } = document.activeElement ?? {};
  return (ariaLabel ?? labels?.[0]?.textContent ?? textContent ?? '').trim();
}
"""


class Administrator(Person):
    """An administrator at the console of a server."""

    server: RestServer

    @classmethod
    async def of(cls, server: RestServer, browser: Browser, name: str = "admin", **window: Any) -> Administrator:
        """Open a window, and the console in it, logged out."""
        person = await cls.at(browser, name, **({"viewport": DESKTOP, "reduced_motion": "reduce"} | window))
        person.server = server
        await person.page.goto(f"{server.url}/")
        return person

    async def log_in(self, password: str = PASSWORD) -> Administrator:
        """Log in, and pass by the first start."""
        await self.page.evaluate("localStorage.setItem('tertulia.console.welcomed', 'yes')")
        await self.enter(password)
        await expect(self.heading("Rooms")).to_be_visible()
        return self

    async def enter(self, password: str) -> None:
        """Fill in the form and send it."""
        await self.page.get_by_label("User").fill("admin")
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.press("Log in")

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", level=1, name=name, exact=True)

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    def notice(self, words: str) -> Locator:
        return self.page.locator(".notice", has_text=words)

    def room_row(self, name: str) -> Locator:
        return self.page.locator(f'.row[data-room="{name}"]')

    def recording_row(self, recording: str) -> Locator:
        return self.page.locator(f'.row[data-recording="{recording}"]')

    def person_row(self, name: str) -> Locator:
        return self.page.locator(f'.person-row[data-participant="{name}"]')

    async def go(self, section: str) -> None:
        """Go to a section by its link, and wait until it is there."""
        await self.page.get_by_role("navigation", name="Console").get_by_role("link", name=section).click()
        await expect(self.heading(section)).to_be_visible()

    async def open_room(self, name: str) -> None:
        """Open a room's own screen."""
        await self.page.goto(f"{self.server.url}/#/rooms/{name}")
        await expect(self.heading(name)).to_be_visible()

    async def hold(self, files: re.Pattern[str]) -> asyncio.Event:
        """Keep files from the page until the event is set."""
        released = asyncio.Event()

        async def wait(route: Route) -> None:
            await released.wait()
            await route.continue_()

        await self.page.route(files, wait)
        return released

    async def is_accessible(self) -> None:
        """Assert that axe finds nothing, and that nothing is wider than the window."""
        assert await violations(self.page) == []
        assert not await overflows(self.page)

    async def fits_everywhere(self, people: People, screen: str, *schemes: str) -> None:
        """Assert that a screen is accessible in every size, in both themes or those named; keep pictures."""
        before = self.page.viewport_size
        for scheme in schemes or SCHEMES:
            await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for size, window in SIZES.items():
                await self.page.set_viewport_size(window)
                await people.screenshot(f"console-{screen}-{size}-{scheme}")
                await self.is_accessible()
        await self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        if before is not None:
            await self.page.set_viewport_size(before)

    async def tab_to(self, name: str, *, back: bool = False) -> None:
        """Press Tab, or Shift+Tab, until what has that name has the focus, as a keyboard user does."""
        for _ in range(60):
            if await self.page.evaluate(_FOCUSED) == name:
                return
            await self.page.keyboard.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"{name} cannot be reached with the Tab key")


class Opens(Protocol):
    """Opens a window for an administrator who is logged in."""

    async def __call__(self, name: str = "admin", **window: Any) -> Administrator: ...


def add_rooms(server: RestServer, count: int, prefix: str = "many") -> None:
    """Put rooms into a server's database, as it would have made them itself; faster than by asking it."""
    now = now_ms()
    rows = (
        (f"{prefix}-{at:06d}", f'"{prefix} {at}"', now - at, FAR, True, True, True, f"m{at}", f"p{at}", f"v{at}")
        for at in range(count)
    )
    columns = (
        "name, prefix_json, created_at_ms, expires_at_ms, chat_enabled, recording_enabled, "
        "virtual_background_enabled, moderator_secret, publisher_secret, viewer_secret"
    )
    with sqlite3.connect(Path(server.data_dir) / "tertulia.db", timeout=10) as database:
        database.executemany(f"INSERT INTO rooms ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
