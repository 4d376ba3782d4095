"""The meeting page with the name, logo and colours of its installation."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Route, expect

from support.accessibility import violations
from support.people import People, Person
from support.rest import RestServer, TestRoom, running_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

_LOGO: Final = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 40"><rect width="80" height="40" rx="8"/></svg>'
LOOK: Final = {
    "name": "Example AG",
    "logo": f"data:image/svg+xml;base64,{base64.b64encode(_LOGO.encode()).decode()}",
    "accentLight": "#7a3b00",
    "accentDark": "#ffd400",
}
SHIFTS: Final = """
globalThis.testShifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries())
    globalThis.testShifts.push([value, ...sources.map(({ node }) => node?.className ?? node?.nodeName)]);
}).observe({ type: 'layout-shift', buffered: true });
"""
COLOURS: Final = "(button) => [getComputedStyle(button).color, getComputedStyle(button).backgroundColor]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    with running_server(tmp_path_factory.mktemp("appearance")) as running:
        bearer = running.log_in()["accessToken"]
        changed = running.internal("PUT", "/console/settings", {"appearance": LOOK}, bearer=bearer)
        assert changed.status_code == 200, changed.text
        yield running


@pytest.fixture(scope="module")
def room(server: RestServer) -> TestRoom:
    return server.create_room(roomNamePrefix="Weekly review")


async def opened(people: People, browser: Browser, **window: Any) -> tuple[Person, list[str]]:
    """A window, and the requests for the appearance that it will send."""
    person = people.add(await Person.at(browser, "Ana", **window))
    await person.page.add_init_script(SHIFTS)
    asked: list[str] = []
    person.page.on("request", lambda sent: asked.append(sent.url) if sent.url.endswith("/appearance") else None)
    return person, asked


@pytest.mark.parametrize(
    ("scheme", "colours"),
    [("light", ["rgb(255, 255, 255)", "rgb(122, 59, 0)"]), ("dark", ["rgb(0, 0, 0)", "rgb(255, 212, 0)"])],
)
async def test_the_page_looks_as_its_installation(
    people: People, red_browser: Browser, room: TestRoom, scheme: str, colours: list[str]
) -> None:
    ana, asked = await opened(people, red_browser, color_scheme=scheme)
    await ana.page.goto(room.answer["publisherURL"])
    join = ana.page.get_by_role("button", name="Join")
    await expect(join).to_be_visible()
    await expect(ana.page).to_have_title("Weekly-review · Example AG")
    logo = ana.page.get_by_role("img", name="Example AG")
    await expect(logo).to_be_visible()
    assert await logo.evaluate("(image) => image.complete && image.naturalWidth > 0")
    await expect(ana.page.locator(".brand:visible")).to_have_text("Example AG")
    assert await join.evaluate(COLOURS) == colours
    assert await violations(ana.page) == []
    await people.screenshot(f"appearance-form-{scheme}")

    await ana.page.get_by_label("Your name").fill("Ana")
    await join.click()
    await expect(ana.page.locator(".top-bar").get_by_role("img", name="Example AG")).to_be_visible()
    await people.screenshot(f"appearance-meeting-{scheme}")
    await ana.page.set_viewport_size({"width": 375, "height": 667})
    await expect(ana.page.locator(".top-bar h1")).to_be_visible()
    assert await violations(ana.page) == []
    await people.screenshot(f"appearance-meeting-{scheme}-phone")
    assert len(asked) == 1


async def test_what_is_shown_first_stays(people: People, red_browser: Browser, room: TestRoom) -> None:
    """The page is drawn once, with its looks: the answer is late, and nothing is there before it."""
    ana, asked = await opened(people, red_browser)
    looks: list[Any] = []

    async def late(route: Route) -> None:
        looks.append(await ana.page.evaluate("() => document.getElementById('app')?.childElementCount ?? 0"))
        await route.continue_()

    await ana.page.route("**/appearance", late)
    await ana.page.goto(room.answer["publisherURL"])
    await expect(ana.page.get_by_role("img", name="Example AG")).to_be_visible()
    shifts = await ana.page.evaluate("() => globalThis.testShifts")
    assert not [shift for shift in shifts if "brand" in shift[1:]]
    assert (looks, len(asked)) == ([0], 1)


async def test_without_an_answer_the_page_is_plain(people: People, red_browser: Browser, room: TestRoom) -> None:
    ana, _ = await opened(people, red_browser)
    await ana.page.route("**/appearance", lambda route: route.abort())
    await ana.page.goto(room.answer["publisherURL"])
    await expect(ana.page.get_by_role("button", name="Join")).to_be_visible()
    await expect(ana.page).to_have_title("Weekly-review · Tertulia")
    await expect(ana.page.locator(".brand")).to_have_count(0)
