"""The console by keyboard alone: the login, every screen, and something that is done on each."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from support.administrator import Administrator
from support.people import People
from support.rest import PASSWORD, RestServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_screen_by_keyboard_alone(people: People, red_browser: Browser, server: RestServer) -> None:
    room = server.create_room(roomNamePrefix="typed").name
    recording = server.add_recording(room)
    admin = people.add(await Administrator.of(server, red_browser))
    await admin.page.evaluate("localStorage.setItem('tertulia.console.welcomed', 'yes')")
    await admin.tab_to("Password")
    await admin.page.keyboard.type(PASSWORD)
    await admin.page.keyboard.press("Enter")
    await expect(admin.heading("Rooms")).to_be_visible()
    await lock(admin, room)
    await ask_to_delete(admin, room, f"Delete {recording.filename}")
    await look_around(admin)
    await make_a_key(admin)
    await admin.tab_to("Log out", back=True)
    await admin.page.keyboard.press("Enter")
    await expect(admin.heading("Log in")).to_be_visible()


async def lock(admin: Administrator, room: str) -> None:
    """Find a room, open it, and lock it."""
    page = admin.page
    await admin.tab_to("Search rooms")
    await page.keyboard.type(room)
    await expect(page.locator(".row")).to_have_count(1)
    await admin.tab_to(room)
    await page.keyboard.press("Enter")
    await expect(admin.heading(room)).to_be_visible()
    await admin.tab_to("Locked")
    await page.keyboard.press("Space")
    await expect(page.get_by_label("Locked")).to_be_checked()


async def ask_to_delete(admin: Administrator, room: str, button: str) -> None:
    """Find a recording and think better of deleting it: the focus is back where it was."""
    page = admin.page
    await go(admin, "Recordings")
    await admin.tab_to("Search by room or file")
    await page.keyboard.type(room)
    await expect(page.locator(".row")).to_have_count(1)
    await admin.tab_to(button)
    await page.keyboard.press("Enter")
    await expect(admin.dialog("Delete this recording?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name=button)).to_be_focused()


async def look_around(admin: Administrator) -> None:
    """See a month of insight, and test the connection."""
    page = admin.page
    await go(admin, "Insight")
    await admin.tab_to("24 hours")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_label("30 days")).to_be_checked()
    await go(admin, "Health")
    await admin.tab_to("Test the connection")
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-check="udp"]')).to_have_attribute("data-result", "works")


async def make_a_key(admin: Administrator) -> None:
    """Go to the API keys in the settings, and make one."""
    page = admin.page
    await go(admin, "Settings")
    await admin.tab_to("API keys")
    await page.keyboard.press("Enter")
    await admin.tab_to("Name of the application")
    await page.keyboard.type("typed")
    await page.keyboard.press("Enter")
    await expect(admin.dialog("The new key of typed")).to_be_visible()
    await admin.tab_to("Done")
    await page.keyboard.press("Enter")
    await expect(page.locator('.row[data-key="typed"]')).to_be_visible()


async def go(admin: Administrator, section: str) -> None:
    """Go back to the sections, which come before the screen, and open one."""
    await admin.tab_to(section, back=True)
    await admin.page.keyboard.press("Enter")
    await expect(admin.heading(section)).to_be_visible()
