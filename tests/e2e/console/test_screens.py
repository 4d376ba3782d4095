"""Every screen of the console in both themes and three sizes: accessible, not wider than the window, captured."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import expect

from support.administrator import DESKTOP, PHONE, TABLET, Administrator, Opens
from support.people import People
from support.rest import RestServer
from tertulia.domain.recordings.recording import RecordingState

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES: Final = {"desktop": DESKTOP, "tablet": TABLET, "phone": PHONE}
SCREENS: Final = {
    "rooms": ".row",
    "rooms/{room}": ".link-row",
    "recordings": ".row",
    "insight": ".charts > *, .empty, .message",
    "health": ".part, .message",
    "settings": ".settings-grid form",
    "settings/keys": ".inline-form",
    "settings/password": "#password",
}
"""Each screen, and what is there once it has loaded."""


@pytest.fixture(scope="session")
def filled(server: RestServer) -> str:
    """A server with something on every screen; the name of a room."""
    names = ["Weekly review", "Interview", "Design", "Board meeting with a name that is rather long for a phone"]
    rooms = [server.create_room(roomNamePrefix=name) for name in names]
    server.add_recording(rooms[0].name)
    server.add_recording(
        rooms[1].name, state=RecordingState.FAILED, error="The file is not complete", details="The disk was full"
    )
    return rooms[0].name


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_screen_is_accessible(administrators: Opens, people: People, filled: str, scheme: str) -> None:
    admin = await administrators(color_scheme=scheme)
    for screen, there in SCREENS.items():
        await show(admin, screen.format(room=filled))
        await expect(admin.page.locator(there).first).to_be_visible()
        for size, window in SIZES.items():
            await admin.page.set_viewport_size(window)
            await people.screenshot(
                f"console-{screen.partition('{')[0].strip('/').replace('/', '-')}-{size}-{scheme}"
                + ("-room" if "{" in screen else "")
            )
            await admin.is_accessible()


async def show(admin: Administrator, screen: str) -> None:
    await admin.page.evaluate("(hash) => { location.hash = hash }", f"#/{screen}")


async def test_forced_colours_tell_what_is_chosen(administrators: Opens, filled: str) -> None:
    admin = await administrators(forced_colors="active")
    await expect(admin.room_row(filled)).to_be_visible()
    current, other = admin.page.locator('nav a[aria-current="page"]'), admin.page.locator("nav a:not([aria-current])")
    border = "(link) => getComputedStyle(link).borderTopWidth"
    assert await current.evaluate(border) != await other.first.evaluate(border)
    await admin.is_accessible()


async def test_the_connection_is_tested_from_this_browser(administrators: Opens, server: RestServer) -> None:
    admin = await administrators()
    await admin.go("Health")
    await admin.press("Test the connection")
    await expect(admin.page.locator('[data-check="udp"]')).to_have_attribute("data-result", "works")
    await expect(admin.page.locator('[data-check="tcp"]')).to_have_attribute("data-result", "works")
    await expect(admin.page.locator('[data-check="turn"]')).to_have_attribute("data-result", "skipped")
    await expect(admin.page.get_by_text("Everything that is needed works from here.")).to_be_visible()
    await admin.is_accessible()
    names = [room["roomName"] for room in server.ask("GET", "/rooms").json()]
    assert not [name for name in names if name.startswith("connection-test")]
