"""Who is told of a meeting and may control it: the page around, if the server allows its origin, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from support.fake_media import RED
from support.host_site import HostPage, HostSite, host_site
from support.people import People
from support.product import Product, RoomLinks, running_product

pytestmark = pytest.mark.asyncio(loop_scope="session")

ELEMENT: Final = "<tertulia-meet room-url='{link}' participant-name='Ana' skip-prejoin lang='en'></tertulia-meet>"
TRY: Final = """
globalThis.answers = [];
globalThis.greet = (target) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => answers.push(data);
  target.postMessage({ tertulia: 'hello', version: 1 }, '*', [port2]);
  port1.postMessage({ id: 1, method: 'participants', args: [] });
  target.postMessage({ command: 'leaveRoom' }, '*');
};
addEventListener('message', ({ data }) => answers.push(data));
"""
"""A page that tries what the element does, and what OpenVidu Meet's pages do; it keeps whatever is answered."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[HostSite]:
    async with host_site("localhost") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hostile_site() -> AsyncIterator[HostSite]:
    async with host_site("hostile.localhost") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def naming(tmp_path_factory: pytest.TempPathFactory, site: HostSite) -> AsyncIterator[Product]:
    """A server that names one site."""
    settings = {"TERTULIA_EMBED_ORIGINS": site.origin}
    async with running_product(tmp_path_factory.mktemp("naming"), settings=settings) as running:
        yield running


async def test_a_hostile_parent_gets_nothing(
    people: People, red_browser: Browser, naming: Product, hostile_site: HostSite
) -> None:
    """Its origin is not allowed: the browser shows no meeting, and nothing answers."""
    room = await naming.create_room()
    eve = await people.at(red_browser, "Eve")
    eve.page_errors = []
    body = f"<script>{TRY}</script><iframe src='{room.publisher}' onload='greet(this.contentWindow)'></iframe>"
    await eve.page.goto(hostile_site.show("/hostile", f"<!doctype html>{body}"))
    await expect(eve.page.frame_locator("iframe").get_by_label("Your name")).to_have_count(0)
    assert await eve.page.evaluate("globalThis.answers") == []
    eve.page_errors.clear()  # the browser says which policy it has followed


async def test_a_hostile_frame_beside_gets_nothing(
    people: People, red_browser: Browser, naming: Product, site: HostSite, hostile_site: HostSite
) -> None:
    """A frame of another site in the same page reaches the meeting's window, and gets no answer from it."""
    room = await naming.create_room()
    ana = await people.at(red_browser, "Ana")
    evil = hostile_site.show("/frame", f"<!doctype html><script>{TRY}</script>")
    body = (
        f"<script>{TRY}</script><iframe id=evil src='{evil}'></iframe><iframe id=meet src='{room.publisher}'></iframe>"
    )
    await ana.page.goto(site.show("/beside", f"<!doctype html>{body}"))
    await expect(ana.page.frame_locator("#meet").get_by_label("Your name")).to_be_visible()
    frame = next(frame for frame in ana.page.frames if frame.url == evil)
    await frame.evaluate("greet(parent[1])")
    # its own parent's hello, later, is answered
    await ana.page.evaluate("greet(frames[1])")
    await ana.page.wait_for_function("globalThis.answers.some((one) => one.welcome)")
    assert await frame.evaluate("globalThis.answers") == []


async def test_a_hostile_window_that_opened_the_page_gets_nothing(
    people: People, red_browser: Browser, product: Product, room: RoomLinks, hostile_site: HostSite
) -> None:
    """With `*` too: who has opened the meeting in a window is not the page around it."""
    eve = await people.at(red_browser, "Eve")
    await eve.page.goto(hostile_site.show("/opener", f"<!doctype html><script>{TRY}</script><button>Open</button>"))
    await eve.page.evaluate(
        "(link) => { document.querySelector('button').onclick = () => { globalThis.opened = open(link); } }",
        room.publisher,
    )
    async with eve.page.expect_popup() as opening:
        await eve.page.get_by_role("button", name="Open").click()
    popup = await opening.value
    await expect(popup.get_by_label("Your name")).to_be_visible()
    await eve.page.evaluate("() => greet(globalThis.opened)")
    await expect(popup.get_by_label("Your name")).to_be_visible()
    assert await eve.page.evaluate("globalThis.answers") == []
    await popup.close()


async def test_a_wildcard_tells_but_does_not_let_act_on_others(
    people: People, red_browser: Browser, product: Product, room: RoomLinks, site: HostSite
) -> None:
    """`TERTULIA_EMBED_ORIGINS=*`, the default."""
    ana = await people.at(red_browser, "Ana")
    await ana.page.goto(site.embed("/wildcard", product.url, ELEMENT.format(link=room.moderator)))
    host = HostPage(ana.page)
    await host.event("meetingJoined", {"role": "moderator"})
    for call in ("participantKick('Ben')", "participantMute('Ben')", "muteAll()", "meetingEnd()", "startRecording()",
                 "stopRecording()"):  # fmt: skip
        failed = await host.failure(f"meet.{call}")
        assert failed["cause"] == "origin_not_named", call
        assert "TERTULIA_EMBED_ORIGINS" in failed["message"]
    await host.run("await meet.setHand(true);")
    await host.event("handChanged", {"on": True})


async def test_without_storage(
    people: People, red_browser: Browser, product: Product, room: RoomLinks, site: HostSite
) -> None:
    """A browser that blocks other sites' cookies throws where storage is only looked at."""
    ana = await people.at(red_browser, "Ana")
    await ana.page.add_init_script(
        """if (window !== top) for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
          Object.defineProperty(window, name, { get() { throw new DOMException('blocked', 'SecurityError'); } });
        if (window !== top) Object.defineProperty(Document.prototype, 'cookie',
          { get() { return ''; }, set() { throw new DOMException('blocked', 'SecurityError'); } });"""
    )
    await ana.page.context.route("**/meet/internal-api/**", without_cookies)
    await ana.page.goto(site.embed("/stored", product.url, ELEMENT.format(link=room.publisher)))
    host = HostPage(ana.page)
    await host.event("meetingJoined")
    await host.run("await meet.setHand(true);")
    before = await host.mark()
    # moved: nothing is stored, and yet it is the same participant
    await host.run("const box = document.createElement('p'); document.body.append(box); box.append(meet); return 1;")
    await host.event("meetingJoined", {"participantIdentity": "Ana"}, after=before)
    assert [one["identity"] for one in await host.run("meet.participants()")] == ["Ana"]


async def without_cookies(route: Route) -> None:
    await route.continue_(headers={name: value for name, value in route.request.headers.items() if name != "cookie"})


async def test_several_on_one_page_and_removal(
    people: People, red_browser: Browser, blue_browser: Browser, naming: Product, site: HostSite
) -> None:
    one, two = await naming.create_room("one"), await naming.create_room("two")
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    body = ELEMENT.format(link=one.publisher) + ELEMENT.format(link=two.publisher)
    await ana.page.goto(site.embed("/several", naming.url, body))
    await ben.join(one.publisher)
    host = HostPage(ana.page)
    for room in (one, two):
        await host.event("meetingJoined", {"roomId": room.name})
    await ben.sees("Ana", RED)
    await host.run("document.querySelectorAll('tertulia-meet')[1].setHand(true);")
    await host.event("handChanged", {"on": True})
    assert len(await host.events("handChanged")) == 1
    gone = await host.run(
        """globalThis.removed = meet; const gone = []; meet.on('meetingLeft', (detail) => gone.push(detail));
        meet.remove();
        await new Promise((resolve) => meet.addEventListener('meetingLeft', resolve));
        return gone;"""
    )
    assert [(each["roomId"], each["reason"]) for each in gone] == [(one.name, "voluntary_leave")]
    await expect(ben.tiles()).to_have_count(1)
    # camera and microphone are off with it
    assert await host.run("return removed.participants().catch(({ cause }) => cause);") == "page_gone"
