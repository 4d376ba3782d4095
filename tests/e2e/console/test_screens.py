"""Every screen of the console in both themes and three sizes: accessible, not wider than the window, captured."""

from __future__ import annotations

import math
import re
from typing import Final

import pytest
from playwright.async_api import expect

from support.administrator import SCHEMES, Administrator, Opens
from support.people import People
from support.rest import RestServer, now_ms
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.ids import Millis
from tertulia.domain.insight import FINE_STEP_S, Step
from tertulia.domain.recordings.recording import RecordingState

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEP_MS: Final = FINE_STEP_S * 1000
SCREENS: Final = {
    "rooms": ".row",
    "rooms/{room}": ".link-row",
    "recordings": ".row",
    "insight": ".charts canvas",
    "health": ".part",
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
    server.write(add_a_day)
    return rooms[0].name


def add_a_day(tx: SqlTransaction) -> None:
    """What another server of the installation would have counted: more people by day than by night, and a pause."""
    now = now_ms() // STEP_MS
    for ago in (*range(1, 100), *range(112, 280)):
        people = round(20 + 20 * math.sin(ago / 45))
        counts = {"participants": people, "rooms": people // 4, "recordings": people // 12}
        sent = people * STEP_MS * 150
        step = Step(
            begin_ms=Millis((now - ago) * STEP_MS),
            covered_ms=STEP_MS,
            received_bytes=sent // 3,
            sent_bytes=sent,
            **counts,
        )
        tx.insight.add("another server", step)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_every_screen_is_accessible(administrators: Opens, people: People, filled: str, scheme: str) -> None:
    admin = await administrators()
    for screen, there in SCREENS.items():
        await show(admin, screen.format(room=filled))
        await expect(admin.page.locator(there).first).to_be_visible()
        await admin.fits_everywhere(people, screen.replace("{room}", "one").replace("/", "-"), scheme)


async def show(admin: Administrator, screen: str) -> None:
    await admin.page.evaluate("(hash) => { location.hash = hash }", f"#/{screen}")


async def test_a_chart_says_what_is_under_the_pointer(administrators: Opens, filled: str) -> None:
    admin = await administrators()
    await admin.go("Insight")
    chart = admin.page.get_by_role("region", name="People in meetings")
    summary = chart.locator(".panel-title p")
    await expect(summary).to_contain_text("at most 40")
    await chart.locator(".u-over").hover()
    await expect(summary).to_have_text(re.compile(r"\d:\d\d.*: \d+$"))
    await admin.page.mouse.move(0, 0)
    await expect(summary).to_contain_text("at most 40")


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


async def test_a_screen_whose_code_comes_while_it_opens_is_shown(administrators: Opens) -> None:
    """Between what is drawn without the code and the effects of that drawing, as a busy computer does it."""
    admin = await administrators()
    came = await admin.hold(re.compile("/SettingsView"))
    await admin.page.clock.install()
    await admin.page.reload()
    await expect(admin.heading("Rooms")).to_be_visible()
    async with admin.page.expect_request(re.compile("/SettingsView")) as asked:
        await admin.page.clock.run_for(2000)  # idle: the screens are loaded ahead
    await admin.page.clock.pause_at(await admin.page.evaluate("Date.now() + 100"))  # no effect runs any more
    await admin.page.get_by_role("link", name="Settings").click()
    await expect(admin.page.get_by_role("link", name="Settings")).to_have_attribute("aria-current", "page")
    came.set()
    await admin.page.evaluate("(code) => import(code)", (await asked.value).url)
    await admin.page.clock.resume()
    await expect(admin.heading("Settings")).to_be_visible()
