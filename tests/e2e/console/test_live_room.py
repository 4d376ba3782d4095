"""A meeting as an administrator sees it, and what can be done about it: people, messages, recordings."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from support.administrator import Opens
from support.people import People
from support.rest import RestServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_is_in_a_room_is_seen_live_and_moderated(
    administrators: Opens, people: People, server: RestServer, red_browser: Browser
) -> None:
    room = server.create_room(roomNamePrefix="live")
    admin = await administrators()
    row = admin.room_row(room.name)
    await expect(row).to_be_visible()
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.answer["publisherURL"])
    await expect(row).to_contain_text("1 person in it")
    await admin.page.get_by_label("With a meeting now").check()
    await expect(admin.page.locator(".row")).to_have_count(1)

    await row.get_by_role("link", name=room.name, exact=True).click()
    person = admin.person_row("Ana")
    await expect(person.get_by_text("Microphone on")).to_be_attached()
    await expect(person.get_by_text("Camera on")).to_be_attached()
    await expect(person).to_contain_text("since ")
    await admin.fits_everywhere(people, "live-room")
    await person.get_by_role("button", name="Mute Ana").click()
    await expect(person.get_by_text("Microphone muted")).to_be_attached()
    await expect(ana.page.get_by_text("A moderator muted you").first).to_be_visible()
    await person.get_by_role("button", name="Stop the camera of Ana").click()
    await expect(person.get_by_text("Camera off")).to_be_attached()
    await person.get_by_label("Role of Ana").select_option("Moderator")
    await expect(ana.page.get_by_role("button", name="Record", exact=True)).to_be_visible()

    ben = await people.at(red_browser, "Ben")
    await ben.join(room.answer["viewerURL"])
    await expect(admin.person_row("Ben")).to_be_visible()
    await admin.page.get_by_role("button", name="Remove Ben").click()
    await admin.dialog("Remove Ben?").get_by_role("button", name="Remove").click()
    await expect(ben.end_screen("removed")).to_be_visible()
    await expect(admin.person_row("Ben")).to_have_count(0)

    await admin.press("Message…")
    await admin.dialog("Message to the room").get_by_label("Message", exact=True).fill("We close in five minutes")
    await admin.press("Send")
    await expect(admin.notice("The message was sent.")).to_be_visible()
    await expect(ana.page.locator('[data-notice="from_console"]')).to_contain_text("We close in five minutes")

    # the media server tells every five seconds how the connections are
    await expect(person.get_by_label("Connection")).to_contain_text("UDP over IP", timeout=20_000)
    await person.locator(".connection > summary").click()
    await admin.is_accessible()

    await admin.press("End meeting…")
    await admin.dialog("End this meeting?").get_by_role("button", name="End meeting").click()
    await expect(ana.page.locator(".end-screen")).to_be_visible()
    await expect(admin.page.get_by_text("Nobody is in this room right now.")).to_be_visible()


async def test_a_recording_is_made_played_and_deleted(
    administrators: Opens, people: People, server: RestServer, red_browser: Browser
) -> None:
    room = server.create_room(roomNamePrefix="film")
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.answer["publisherURL"])
    admin = await administrators()
    await admin.open_room(room.name)
    await expect(admin.person_row("Ana")).to_be_visible()
    await admin.press("Record")
    await expect(admin.page.get_by_role("button", name="Stop recording")).to_be_visible()
    await admin.go("Recordings")
    row = admin.page.locator(".row", has_text=room.name)
    await expect(row).to_have_attribute("data-status", "ACTIVE")
    await expect(row).to_contain_text(re.compile("0:0[2-9]"))
    await row.get_by_role("button", name="Stop ").click()
    await expect(row).to_have_attribute("data-status", "COMPLETE")

    await row.get_by_role("button", name="Play ").click()
    video = admin.page.locator("video.player")
    await expect(video).to_have_js_property("seekable.length", 1)
    sought = await video.evaluate(
        """async (video) => {
          const sought = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
          video.pause();
          video.currentTime = 1;
          await sought;
          return video.currentTime;
        }"""
    )
    assert sought == pytest.approx(1, abs=0.2)
    await admin.is_accessible()
    await admin.page.keyboard.press("Escape")
    async with admin.page.expect_download() as download:
        await row.get_by_role("button", name="Download ").click()
    assert (await download.value).suggested_filename.startswith(room.name)

    await row.get_by_role("button", name="Delete ").click()
    await admin.dialog("Delete this recording?").get_by_role("button", name="Delete", exact=True).click()
    await expect(row).to_have_count(0)
