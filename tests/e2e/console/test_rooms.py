"""Rooms in the console: made, found, shared, changed, deleted; and a store with a hundred thousand of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.administrator import PHONE, Administrator, Opens, add_rooms
from support.people import People
from support.rest import RestServer, running_server
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANY: Final = 100_000
SEARCH_BUDGET_S: Final = 1.5
"""From the last key to the rows, with the pause that a user may make in typing, on a busy machine."""
ANSWER_BUDGET_MS: Final = 300
ROWS: Final = 100
"""How many rows are in the page at most."""


async def test_a_room_is_made_with_every_option(administrators: Opens, people: People, server: RestServer) -> None:
    admin = await administrators()
    page = admin.page
    await admin.press("New room")
    dialog = admin.dialog("New room")
    await dialog.get_by_label("Name").fill("Board meeting")
    await dialog.get_by_label("Expires").select_option("at a date…")
    await dialog.get_by_label("Date and time").fill("2001-01-01T10:00")
    await dialog.get_by_role("button", name="Create room").click()
    await expect(dialog.get_by_text("Choose a time in the future.")).to_be_visible()
    await dialog.get_by_label("Date and time").fill("2090-01-01T10:00")
    await dialog.get_by_label("Most participants").fill("12")
    await dialog.get_by_label("Files in the chat").uncheck()
    await dialog.get_by_label("Chat", exact=True).uncheck()
    await expect(dialog.get_by_label("Chat history")).to_be_disabled()
    await dialog.get_by_label("Virtual backgrounds").uncheck()
    await dialog.get_by_label("Lobby").check()
    await admin.fits_everywhere(people, "new-room")
    await dialog.get_by_role("button", name="Create room").click()
    await expect(page.get_by_role("heading", level=1, name="Board-meeting-")).to_be_visible()

    name = await page.get_by_role("heading", level=1).inner_text()
    room = server.ask("GET", f"/rooms/{name}").json()
    assert room["roomNamePrefix"] == "Board meeting"
    assert room["maxParticipants"] == 12
    assert 3_786_000_000_000 < room["expirationDate"] < 3_787_600_000_000
    assert room["preferences"] == {
        "chatPreferences": {"enabled": False, "files": False},
        "recordingPreferences": {"enabled": True},
        "virtualBackgroundPreferences": {"enabled": False},
        "lobbyPreferences": {"enabled": True},
    }


async def test_links_are_copied_shown_as_a_code_and_made_new(administrators: Opens, server: RestServer) -> None:
    room = server.create_room(roomNamePrefix="links")
    admin = await administrators(permissions=["clipboard-read", "clipboard-write"])
    await admin.room_row(room.name).get_by_role("button", name=f"Links of {room.name}").click()
    dialog = admin.dialog(f"Links of {room.name}")
    await dialog.get_by_role("button", name="Copy link for a viewer").click()
    await expect(dialog.get_by_text("The link for a viewer was copied.")).to_be_visible()
    assert await admin.page.evaluate("navigator.clipboard.readText()") == room.answer["viewerURL"]
    await dialog.get_by_role("button", name="QR code of the link for a publisher").click()
    await expect(dialog.get_by_role("img", name="QR code of the link for a publisher")).to_be_visible()
    await admin.is_accessible()
    await admin.page.keyboard.press("Escape")

    await admin.open_room(room.name)
    link = admin.page.get_by_label("Link for a moderator", exact=True)
    await expect(link).to_have_value(room.answer["moderatorURL"])
    await admin.page.get_by_text("Put it into a page of yours").click()
    await admin.is_accessible()
    await admin.press("Copy the HTML")
    await expect(admin.notice("The HTML was copied.")).to_be_visible()
    code = await admin.page.evaluate("navigator.clipboard.readText()")
    assert f'<tertulia-meet room-url="{room.answer["publisherURL"]}"' in code
    await admin.press("New links…")
    await admin.dialog("Make new links?").get_by_role("button", name="Make new links").click()
    await expect(admin.notice("The room has new links.")).to_be_visible()
    await expect(link).not_to_have_value(room.answer["moderatorURL"])
    assert await link.input_value() == server.ask("GET", f"/rooms/{room.name}").json()["moderatorURL"]


async def test_several_rooms_are_deleted_after_a_question(administrators: Opens, server: RestServer) -> None:
    names = [server.create_room(roomNamePrefix="gone").name for _ in range(3)]
    kept = server.create_room(roomNamePrefix="gone-not").name
    admin = await administrators(viewport=PHONE)
    await admin.page.get_by_label("Search rooms").fill("gone")
    for name in names:
        await admin.page.get_by_label(f"Select {name}").check()
    await admin.press("Delete…")
    dialog = admin.dialog("Delete 3 rooms?")
    await expect(dialog).to_contain_text("Recordings are kept.")
    await admin.is_accessible()
    await dialog.get_by_role("button", name="Cancel").click()
    assert server.ask("GET", f"/rooms/{names[0]}").status_code == 200
    await admin.press("Delete…")
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(admin.notice("3 rooms were deleted.")).to_be_visible()
    for name in names:
        await expect(admin.room_row(name)).to_have_count(0)
        assert server.ask("GET", f"/rooms/{name}").status_code == 404
    await expect(admin.room_row(kept)).to_be_visible()


async def test_a_room_is_made_and_deleted_by_keyboard_alone(administrators: Opens, server: RestServer) -> None:
    admin = await administrators()
    keyboard = admin.page.keyboard
    await admin.tab_to("New room")
    await keyboard.press("Enter")
    await expect(admin.dialog("New room")).to_be_visible()
    await keyboard.press("Escape")
    await expect(admin.page.get_by_role("button", name="New room")).to_be_focused()
    await keyboard.press("Enter")
    await expect(admin.dialog("New room")).to_be_visible()
    await admin.tab_to("Name")
    await keyboard.type("keys")
    await keyboard.press("Enter")
    heading = admin.page.get_by_role("heading", level=1, name="keys-")
    await expect(heading).to_be_visible()
    name = await heading.inner_text()
    await admin.tab_to("Delete room…")
    await keyboard.press("Enter")
    dialog = admin.dialog("Delete this room?")
    await expect(dialog).to_be_visible()
    await admin.tab_to("Delete")
    await keyboard.press("Space")
    await expect(admin.heading("Rooms")).to_be_visible()
    assert server.ask("GET", f"/rooms/{name}").status_code == 404


@pytest.mark.measures_time
async def test_a_hundred_thousand_rooms_are_found_at_once(people: People, red_browser: Browser, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        add_rooms(server, MANY)
        admin = people.add(await Administrator.of(server, red_browser))
        answers: list[float] = []
        admin.page.on("requestfinished", lambda request: answers.append(answer_ms(request)))
        await admin.log_in()
        await expect(admin.room_row("many-000000")).to_be_visible()
        assert await admin.page.locator(".row").count() <= ROWS

        search = admin.page.get_by_label("Search rooms")
        await search.fill("many-0999")
        began = time.monotonic()
        await search.press_sequentially("42")
        await expect(admin.page.locator(".row")).to_have_count(1)
        assert time.monotonic() - began < SEARCH_BUDGET_S
        await expect(admin.room_row("many-099942")).to_be_visible()

        await search.fill("")
        await admin.page.get_by_label("Sort by").select_option("Name, Z to A")
        await expect(admin.room_row("many-099999")).to_be_visible()
        await admin.press("Next")
        await expect(admin.page.get_by_text("Page 2")).to_be_visible()
        await expect(admin.room_row("many-099999")).to_have_count(0)
        assert await admin.page.locator(".row").count() <= ROWS
        await admin.press("Previous")
        await expect(admin.room_row("many-099999")).to_be_visible()
        assert answers
        assert sorted(answers)[len(answers) // 2] < ANSWER_BUDGET_MS, answers


def answer_ms(request: object) -> float:
    """Return how long the server took for a request."""
    timing = request.timing  # type: ignore[attr-defined]
    return float(timing["responseEnd"] - timing["requestStart"]) if timing["responseEnd"] > 0 else 0.0


async def test_two_administrators_see_what_the_other_does(administrators: Opens, server: RestServer) -> None:
    ada, bob = await administrators("ada"), await administrators("bob", viewport=PHONE)
    await ada.press("New room")
    await ada.dialog("New room").get_by_label("Name").fill("shared")
    await ada.press("Create room")
    heading = ada.page.get_by_role("heading", level=1, name="shared-")
    await expect(heading).to_be_visible()
    name = await heading.inner_text()
    await expect(bob.room_row(name)).to_be_visible()
    await bob.page.get_by_role("link", name=name, exact=True).click()
    await expect(bob.heading(name)).to_be_visible()

    await ada.page.get_by_label("Chat", exact=True).uncheck()
    await expect(bob.page.get_by_label("Chat", exact=True)).not_to_be_checked()
    await ada.page.get_by_label("Chat", exact=True).check()
    await ada.page.get_by_label("Chat history").uncheck()
    await expect(bob.page.get_by_label("Chat history")).not_to_be_checked()
    await expect(bob.page.get_by_label("Files in the chat")).to_be_checked()
    await bob.page.get_by_label("Locked").check()
    await expect(ada.page.get_by_label("Locked")).to_be_checked()
    await expect(ada.page.get_by_role("list").filter(has_text="Locked").first).to_be_visible()

    await bob.press("Delete room…")
    await bob.dialog("Delete this room?").get_by_role("button", name="Delete", exact=True).click()
    await expect(ada.page.get_by_text("This room was deleted or has expired.")).to_be_visible()
    await until("it is gone", lambda: is_gone(server, name))


async def is_gone(server: RestServer, name: str) -> bool:
    return server.ask("GET", f"/rooms/{name}").status_code == 404
