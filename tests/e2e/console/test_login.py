"""The first start, logging in and out, and what happens when the server or the session goes away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from support.administrator import PHONE, Administrator, Opens
from support.people import People
from support.rest import INTERNAL, PASSWORD, RestServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW_PASSWORD = "only-I-know-this-one"


async def test_a_first_start_leads_to_a_meeting(people: People, red_browser: Browser, tmp_path: Path) -> None:
    """On a phone; its screens fit elsewhere, too."""
    with running_server(tmp_path, TERTULIA_ADMIN_PASSWORD="") as server:
        admin = people.add(await Administrator.of(server, red_browser, viewport=PHONE))
        await expect(admin.heading("Log in")).to_be_visible()
        await admin.fits_everywhere(people, "login")
        await admin.enter("wrong")
        await expect(admin.page.get_by_text("Wrong user or password.")).to_be_visible()
        await admin.enter(printed_password(tmp_path))
        await expect(admin.heading("Welcome to Tertulia")).to_be_focused()
        await admin.fits_everywhere(people, "first-start")
        await admin.press("Keep the printed one")

        await expect(admin.heading("Create your first room")).to_be_focused()
        drawn = await admin.hold(re.compile("/qr_code"))
        await admin.page.get_by_label("Name").fill("first")
        await admin.press("Create room")
        await expect(admin.heading("Try it")).to_be_focused()
        finish = admin.page.get_by_role("button", name="Go to the console")
        place = await finish.bounding_box()
        drawn.set()
        await expect(admin.page.get_by_role("img", name="QR code of the link for a publisher")).to_be_visible()
        assert await finish.bounding_box() == place  # a press on its way still meets it
        await admin.fits_everywhere(people, "first-room")
        async with admin.page.expect_popup() as popup:
            await admin.page.get_by_role("link", name="Open the room in a new tab").click()
        await expect((await popup.value).get_by_label("Your name")).to_be_visible()
        await admin.press("Go to the console")
        await expect(admin.page.locator(".row")).to_have_count(1)
        await admin.page.reload()
        await expect(admin.heading("Rooms")).to_be_visible()


async def test_the_printed_password_is_replaced(people: People, red_browser: Browser, tmp_path: Path) -> None:
    with running_server(tmp_path, TERTULIA_ADMIN_PASSWORD="") as server:
        printed = printed_password(tmp_path)
        admin = people.add(await Administrator.of(server, red_browser))
        await admin.enter(printed)
        await admin.page.get_by_label("New password").fill("short")
        await admin.press("Change password")
        await expect(admin.page.get_by_text("At least 12 characters are needed.")).to_be_visible()
        await admin.page.get_by_label("New password").fill(NEW_PASSWORD)
        await admin.press("Change password")
        await expect(admin.heading("Create your first room")).to_be_focused()
        await admin.press("Later")
        await expect(admin.heading("Rooms")).to_be_visible()
        await admin.press("Log out")
        await admin.enter(printed)
        await expect(admin.page.get_by_text("Wrong user or password.")).to_be_visible()
        await admin.enter(NEW_PASSWORD)
        await expect(admin.heading("Rooms")).to_be_visible()


async def test_a_changed_password_ends_the_other_logins(people: People, red_browser: Browser, tmp_path: Path) -> None:
    with running_server(tmp_path, TERTULIA_ADMIN_PASSWORD="") as server:
        printed = printed_password(tmp_path)
        ada, bob = [
            await people.add(await Administrator.of(server, red_browser, name)).log_in(printed)
            for name in ("ada", "bob")
        ]
        await ada.go("Settings")
        await ada.page.get_by_role("link", name="Password").click()
        await ada.fits_everywhere(people, "password")
        await ada.page.get_by_label("Current password").fill("not this one")
        await ada.page.get_by_label("New password").fill(NEW_PASSWORD)
        await ada.press("Change password")
        await expect(ada.page.get_by_text("The current password is wrong.")).to_be_visible()
        await ada.page.get_by_label("Current password").fill(printed)
        await ada.press("Change password")
        await expect(ada.notice("The password was changed.")).to_be_visible()
        await expect(bob.heading("Log in")).to_be_visible()
        await expect(bob.page.get_by_text("Your session has ended.")).to_be_visible()
        await ada.page.reload()
        await expect(ada.heading("Settings")).to_be_visible()


def printed_password(folder: Path) -> str:
    """Read what the first start has printed, as an operator does."""
    printed = re.search(r"password (\S+)\n +logs in to the console at ", (folder / "stdout").read_text())
    assert printed is not None
    return printed[1]


async def test_a_session_that_has_ended_asks_for_the_password(administrators: Opens, server: RestServer) -> None:
    room = server.create_room(roomNamePrefix="later")
    admin = await administrators()
    await admin.open_room(room.name)
    cookies = {one["name"]: one["value"] for one in await admin.page.context.cookies()}
    assert server.ask("POST", "/auth/logout", base=INTERNAL, bearer=cookies["OvMeetAccessToken"]).status_code == 204
    await expect(admin.heading("Log in")).to_be_visible()
    await expect(admin.page.get_by_text("Your session has ended. Log in again to go on.")).to_be_visible()
    await admin.is_accessible()
    await admin.enter(PASSWORD)
    await expect(admin.heading(room.name)).to_be_visible()


async def test_a_server_that_goes_away_is_told_and_comes_back(
    people: People, red_browser: Browser, tmp_path: Path
) -> None:
    with running_server(tmp_path) as first:
        port = first.url.rpartition(":")[2]
        admin = people.add(await Administrator.of(first, red_browser))
        await admin.log_in()
        await admin.press("New room")  # its code is here before the server goes
        await expect(admin.dialog("New room")).to_be_visible()
        await admin.page.keyboard.press("Escape")
    banner = admin.page.get_by_text("The connection to the server is lost.")
    await expect(banner).to_be_visible()
    await admin.press("New room")
    await admin.dialog("New room").get_by_role("button", name="Create room").click()
    await expect(admin.dialog("New room").get_by_text("The server cannot be reached.")).to_be_visible()
    await admin.is_accessible()
    await admin.page.keyboard.press("Escape")
    with running_server(tmp_path, TERTULIA_PORT=port) as again:
        room = again.create_room(roomNamePrefix="meanwhile")
        await expect(admin.room_row(room.name)).to_be_visible()
        await expect(banner).to_have_count(0)


async def test_two_tabs_of_one_browser_share_a_session(administrators: Opens, server: RestServer) -> None:
    admin = await administrators()
    tabs = [await admin.page.context.new_page() for _ in range(3)]
    # all of them renew at the same moment; a refresh token that is used twice would end the session
    for tab in tabs:
        await tab.goto(f"{server.url}/", wait_until="commit")
    for tab in tabs:
        await expect(tab.get_by_role("heading", level=1, name="Rooms")).to_be_visible()
    await admin.page.reload()
    await expect(admin.heading("Rooms")).to_be_visible()
