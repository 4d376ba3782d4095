"""Pages that were written for OpenVidu Meet: its element, and its messages to a plain iframe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from support.host_site import HostPage, HostSite, host_site
from support.people import People
from support.product import Product, running_product

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTEN: Final = """
globalThis.got = [];
addEventListener('message', ({ data, origin }) => data?.event && got.push({ ...data, origin }));
globalThis.command = (command, payload) =>
  document.querySelector('iframe').contentWindow.postMessage({ command, payload }, '*');
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[HostSite]:
    async with host_site("localhost") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory, site: HostSite) -> AsyncIterator[Product]:
    settings = {"TERTULIA_EMBED_ORIGINS": site.origin}
    async with running_product(tmp_path_factory.mktemp("openvidu"), settings=settings) as running:
        yield running


async def test_the_element(
    people: People, red_browser: Browser, blue_browser: Browser, site: HostSite, product: Product
) -> None:
    """Attributes, methods and events of both generations, in the details that they have there."""
    room = await product.create_room()
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    element = (
        f"<openvidu-meet room-url='{room.moderator}' participant-name='Ana' initial-video-active='false' lang='en'>"
        "</openvidu-meet>"
    )
    await ana.page.goto(site.embed("/openvidu", product.url, element, "openvidu-meet.js"))
    host, frame = HostPage(ana.page), ana.page.frame_locator("iframe")
    await host.event("ready")
    await expect(frame.get_by_role("switch", name="Camera")).to_have_attribute("aria-checked", "false")
    await frame.get_by_role("button", name="Join", exact=True).click()
    for name in ("joined", "meetingJoined"):
        await host.event(name, {"roomId": room.name, "participantIdentity": "Ana"})
    await ben.join(room.publisher)
    await host.event("participantJoined", {"participant": {"identity": "Ben"}})
    await host.run("meet.mediaToggleAudio(false);")
    await host.event("mediaAudioStatusChanged", {"active": False, "origin": "participant"})
    await host.run("meet.mediaToggleVideo();")
    await host.event("mediaVideoStatusChanged", {"active": True})
    await host.run("meet.participantMute('Ben', { audioActive: false });")
    await expect(frame.locator('.tile[data-identity="Ben"]')).to_have_attribute("data-muted", "true")
    assert await host.run("return meet.kickParticipant('Nobody') ?? 'nothing';") == "nothing"
    await host.event("error", {"cause": "not_found"})
    await host.run("meet.kickParticipant('Ben');")
    await expect(ben.end_screen("removed")).to_be_visible()
    await host.run("meet.leaveRoom();")
    for name in ("left", "meetingLeft"):
        await host.event(name, {"roomId": room.name, "participantIdentity": "Ana", "reason": "voluntary_leave"})
    await frame.get_by_role("button", name="Close").click()
    await host.event("closed", {})


async def test_ending_for_all(people: People, red_browser: Browser, site: HostSite, product: Product) -> None:
    room = await product.create_room()
    ana = await people.at(red_browser, "Ana")
    element = f"<openvidu-meet room-url='{room.moderator}' participant-name='Ana' skip-prejoin></openvidu-meet>"
    await ana.page.goto(site.embed("/ending", product.url, element, "openvidu-meet.js"))
    host = HostPage(ana.page)
    await host.event("joined")
    heard = await host.run("return new Promise((resolve) => meet.once('left', resolve) && meet.endMeeting());")
    assert heard == {"roomId": room.name, "participantIdentity": "Ana", "reason": "meeting_ended_by_self"}


async def test_encryption_that_is_not_there_is_refused(
    people: People, red_browser: Browser, site: HostSite, product: Product
) -> None:
    room = await product.create_room()
    ana = await people.at(red_browser, "Ana")
    element = f"<openvidu-meet room-url='{room.publisher}' e2ee-key='secret'></openvidu-meet>"
    await ana.page.goto(site.embed("/e2ee", product.url, element, "openvidu-meet.js"))
    await HostPage(ana.page).event("error", {"cause": "not_supported"})
    await expect(ana.page.locator("iframe")).to_have_count(0)
    await expect(ana.page.get_by_text("End-to-end encryption")).to_be_visible()


async def test_messages_to_a_plain_iframe(
    people: People, red_browser: Browser, blue_browser: Browser, site: HostSite, product: Product
) -> None:
    room = await product.create_room()
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    allow = "camera; microphone; display-capture; fullscreen; autoplay"
    body = f"<script>{LISTEN}</script><iframe allow='{allow}' src='{room.moderator}&participant-name=Ana'></iframe>"
    await ana.page.goto(site.show("/messages", f"<!doctype html>{body}"))
    await got(ana.page, "ready")
    frame = ana.page.frame_locator("iframe")
    await frame.get_by_role("button", name="Join", exact=True).click()
    for name in ("joined", "meetingJoined"):
        await got(ana.page, name, participantIdentity="Ana", roomId=room.name)
    await ben.join(room.publisher)
    await got(ana.page, "participantJoined", roomId=room.name)
    await ana.page.evaluate(
        "command('initialize', { domain: location.origin }); command('mediaToggleAudio', { active: false })"
    )
    await got(ana.page, "mediaAudioStatusChanged", active=False)
    await ana.page.evaluate("command('kickParticipant', { participantIdentity: 'Ben' })")
    await expect(ben.end_screen("removed")).to_be_visible()
    await got(ana.page, "participantLeft", roomId=room.name)
    await ana.page.evaluate("command('leaveRoom')")
    await got(ana.page, "left", reason="voluntary_leave", participantIdentity="Ana")
    assert await ana.page.evaluate("[...new Set(got.map(({ origin }) => origin))]") == [product.url]


async def got(page: Page, event: str, **payload: Any) -> None:
    """Wait until the page around has got such a message."""
    await page.wait_for_function(
        """([event, payload]) => globalThis.got.some((one) => one.event === event
          && Object.entries(payload).every(([key, value]) => one.payload[key] === value))""",
        arg=[event, payload],
    )
