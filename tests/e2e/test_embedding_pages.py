"""What the element shows and how it begins and ends; what it costs the page around, and needs of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from support.accessibility import violations
from support.host_site import HostPage, HostSite, host_site
from support.people import People, Person
from support.player import Player
from support.product import Product, RoomLinks
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
SKIPPING: Final = "skip-prejoin participant-name='Ana' lang='en'"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[HostSite]:
    async with host_site("localhost") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ana(people: People, red_browser: Browser) -> Person:
    return await people.at(red_browser, "Ana")


async def shown(ana: Person, site: HostSite, product: Product, attributes: str, tag: str = "tertulia-meet") -> HostPage:
    """Open a page with an element."""
    await ana.page.goto(site.embed("/page", product.url, f"<{tag} {attributes}></{tag}>", f"{tag}.js"))
    return HostPage(ana.page)


async def test_the_form_has_what_the_attributes_say(
    ana: Person, site: HostSite, product: Product, room: RoomLinks
) -> None:
    attributes = f"room-url='{room.publisher}' participant-name='Zoë' camera=off microphone=off lang=de theme=dark"
    host = await shown(ana, site, product, attributes)
    frame = ana.page.frame_locator("iframe")
    await expect(frame.locator("input#name")).to_have_value("Zoë")
    for device in ("Kamera", "Mikrofon"):
        await expect(frame.get_by_role("switch", name=device)).to_have_attribute("aria-checked", "false")
    allowed = await ana.page.locator("iframe").get_attribute("allow")
    assert allowed == (
        "camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; clipboard-write; "
        "screen-wake-lock"
    )
    inner = ana.page.frames[1]
    assert await inner.evaluate(
        "['camera', 'microphone', 'display-capture', 'autoplay', 'fullscreen'].filter("
        "(name) => !document.featurePolicy.allowsFeature(name))"
    ) == []  # fmt: skip
    # what follows takes effect in the form too
    await host.run("meet.participantName = 'Ana'; await meet.setCamera(true);")
    await expect(frame.locator("input#name")).to_have_value("Ana")
    await expect(frame.get_by_role("switch", name="Kamera")).to_have_attribute("aria-checked", "true")
    await host.run("meet.skipPrejoin = true;")
    await host.event("meetingJoined", {"participantIdentity": "Ana"})


async def test_the_page_around_waits_for_nothing(
    ana: Person, site: HostSite, product: Product, room: RoomLinks
) -> None:
    """`async`, and a size by CSS: the page is there before the script, and does not shift when it comes."""
    arrives = asyncio.Event()

    async def late(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await ana.page.route("**/meet/v1/tertulia-meet.js", late)
    body = f"<tertulia-meet room-url='{room.publisher}'></tertulia-meet><p>What follows</p>"
    await ana.page.goto(site.embed("/late", product.url, body), wait_until="domcontentloaded")
    follows = ana.page.get_by_text("What follows")
    await expect(follows).to_be_visible()
    before = await follows.bounding_box()
    arrives.set()
    await HostPage(ana.page).event("ready")
    assert await follows.bounding_box() == before


async def test_what_others_do_to_the_user(ana: Person, site: HostSite, product: Product, room: RoomLinks) -> None:
    """Muted, made a moderator, removed; and the next meeting is ended."""
    host = await shown(ana, site, product, f"room-url='{room.publisher}' {SKIPPING}")
    await host.event("microphoneChanged", {"on": True, "by": "participant"})
    me = f"/rooms/{room.name}/participants/Ana"
    await product.ask("POST", f"{me}/mute")
    await host.event("microphoneChanged", {"on": False, "by": "moderator"})
    await product.ask("PUT", me, {"role": "moderator"})
    await host.event("participantChanged", {"participant": {"identity": "Ana", "role": "moderator"}})
    await product.ask("DELETE", f"/participants/Ana?roomName={room.name}")
    await host.event("meetingLeft", {"reason": "participant_kicked"})

    host = await shown(ana, site, product, f"room-url='{room.publisher}' {SKIPPING}")
    await host.event("meetingJoined")
    await product.ask("POST", f"/rooms/{room.name}/end")
    await host.event("meetingLeft", {"reason": "meeting_ended"})
    await host.event("error")


async def test_another_room_is_another_meeting(ana: Person, site: HostSite, product: Product, room: RoomLinks) -> None:
    host = await shown(ana, site, product, f"room-url='{room.publisher}' {SKIPPING}")
    await host.event("meetingJoined", {"roomId": room.name})
    other = await product.create_room("other")
    await host.run(f"meet.roomUrl = '{other.publisher}';")
    await host.event("meetingJoined", {"roomId": other.name})


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "http://"])
async def test_what_is_no_link(ana: Person, site: HostSite, product: Product, link: str) -> None:
    host = await shown(ana, site, product, f"room-url='{link}'")
    await host.event("error", {"cause": "link_not_valid"})
    await expect(ana.page.locator("iframe")).to_have_count(0)
    await expect(ana.page.get_by_text("room-url has to be a link")).to_be_visible()


async def test_a_link_that_is_not_valid_any_more(
    ana: Person, site: HostSite, product: Product, room: RoomLinks
) -> None:
    host = await shown(ana, site, product, f"room-url='{room.publisher.replace('secret=', 'secret=x')}'")
    await host.event("error", {"cause": "link_not_valid"})


async def test_leave_redirect_url(ana: Person, site: HostSite, product: Product, room: RoomLinks) -> None:
    """The page around goes there when the user has left; never to what would run in it."""
    site.show("/after", "<!doctype html><title>After</title>")
    host = await shown(ana, site, product, f"room-url='{room.publisher}' {SKIPPING} leave-redirect-url='javascript:1'")
    await host.event("meetingJoined")
    await host.run("await meet.meetingLeave();")
    await host.event("meetingLeft")
    assert await host.events("meetingClosed") == []
    await host.run("meet.leaveRedirectUrl = '/after';")
    await ana.page.frame_locator("iframe").get_by_role("button", name="Close").click()
    await ana.page.wait_for_url("**/after")

    host = await shown(
        ana, site, product, f"room-url='{room.publisher}' {SKIPPING} leave-redirect-url='{site.origin}/after'"
    )
    await host.event("meetingJoined")
    await ana.page.frame_locator("iframe").get_by_role("button", name="Leave").click()
    await ana.page.wait_for_url("**/after")


async def test_a_plain_iframe_by_its_address(ana: Person, site: HostSite, product: Product, room: RoomLinks) -> None:
    """The attributes as parameters; at the end it is the iframe that goes on."""
    after = site.show("/after", "<!doctype html><title>After</title><p>Good bye")
    query = f"&participant-name=Ana&skip-prejoin&hide=chat&lang=en&leave-redirect-url={after}"
    body = f"<iframe allow='camera; microphone' src='{room.publisher}{query}'></iframe>"
    await ana.page.goto(site.show("/plain", f"<!doctype html>{body}"))
    frame = ana.page.frame_locator("iframe")
    await expect(frame.locator('[data-control="chat"]')).to_be_hidden()
    await frame.get_by_role("button", name="Leave").click()
    await expect(frame.get_by_text("Good bye")).to_be_visible()


async def test_an_iframe_that_passes_nothing_on_is_told(
    ana: Person, site: HostSite, product: Product, room: RoomLinks
) -> None:
    body = f"<iframe src='{room.publisher}&lang=en' style='width:900px;height:600px'></iframe>"
    await ana.page.goto(site.show("/bare", f"<!doctype html>{body}"))
    frame = ana.page.frame_locator("iframe")
    await expect(frame.get_by_text("The page around this meeting does not allow it").first).to_be_visible()
    await expect(frame.get_by_text('needs allow="camera; microphone"').first).to_be_visible()


async def test_a_link_alone_neither_joins_nor_leads_away(ana: Person, product: Product, room: RoomLinks) -> None:
    await ana.open(f"{room.publisher}&participant-name=Ana&skip-prejoin&leave-redirect-url=https://evil.example/")
    await expect(ana.page.get_by_label("Your name")).to_have_value("Ana")
    await ana.press_join()
    await ana.press("Leave")
    await expect(ana.end_screen("left")).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Close")).to_have_count(0)


async def test_recordings_in_place_of_the_meeting(
    people: People, ana: Person, blue_browser: Browser, site: HostSite, product: Product, room: RoomLinks
) -> None:
    """`show-only-recordings`, `show-recording`, `recording-url`."""
    ben = await people.at(blue_browser, "Ben")
    await ben.join(room.moderator)
    await ben.press("Record")
    await expect(ben.page.get_by_test_id("recording")).to_be_visible()
    await ben.press("Stop recording")
    await expect(ben.page.get_by_role("log")).to_contain_text("The recording is ready to play")
    (recording,) = [one for one in await product.ask("GET", "/recordings") if one["roomName"] == room.name]
    link = f"room-url='{room.moderator}' lang=en"

    host = await shown(ana, site, product, f"{link} show-only-recordings")
    frame = ana.page.frame_locator("iframe")
    await expect(frame.locator(".recording-list li")).to_have_attribute("data-status", "COMPLETE")
    await expect(ben.page.get_by_test_id("count")).to_have_attribute("data-count", "1")
    await people.screenshot("embedded-recordings")
    for scheme in ("light", "dark"):
        await ana.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await violations(ana.page.frames[1]) == []
    await frame.get_by_role("button", name="Close").click()
    await host.event("meetingClosed")

    recording_id = recording["id"]
    await shown(ana, site, product, f"{link} show-recording='{recording_id}'")
    await plays(ana)
    await shown(ana, site, product, f"{link} show-recording='none'")
    await expect(frame.get_by_role("alert")).to_contain_text("not there any more")

    address = await ana.page.frames[1].evaluate("document.querySelector('video.player')?.src ?? ''")
    assert address == ""
    await shown(ana, site, product, f"{link} show-recording='{recording_id}'")
    await plays(ana)
    address = await ana.page.frames[1].evaluate("document.querySelector('video.player').src")
    await shown(ana, site, product, f"recording-url='{address}' lang=en")
    await plays(ana)
    await people.screenshot("embedded-recording")


async def plays(person: Person) -> None:
    """Wait until the iframe's player plays, where the browser waits for a press, too."""

    async def is_there() -> bool:
        frames = person.page.frames
        return len(frames) > 1 and await frames[1].locator("video.player").count() > 0

    await until("the player is there", is_there)
    player = Player(person.page.frames[1].evaluate)
    await player.resume()
    await player.plays()


async def test_the_sample_of_the_docs(ana: Person, site: HostSite, product: Product, room: RoomLinks) -> None:
    """`docs/embedding.md`, with this server's addresses."""
    sample = (DOCS / "embedding.md").read_text().partition("```html\n")[2].partition("```")[0]
    sample = sample.replace("https://meet.example.com/meet/my-room/?secret=…", room.publisher)
    await ana.page.goto(site.show("/sample", sample.replace("https://meet.example.com", product.url)))
    frame = ana.page.frame_locator("iframe")
    await frame.get_by_role("button", name="Join", exact=True).click()
    await expect(ana.page.get_by_text("In the meeting as Ana")).to_be_visible()
    await ana.page.get_by_role("button", name="Mute").click()
    await expect(frame.locator('.tile[data-identity="Ana"]')).to_have_attribute("data-muted", "true")
    await frame.get_by_role("button", name="Leave").click()
    await expect(ana.page.get_by_text("Left: voluntary_leave")).to_be_visible()
