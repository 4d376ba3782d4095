"""How videos are fitted into the page: by their shape, and on a phone one over the other."""

from __future__ import annotations

import time
from typing import Final

import pytest
from playwright.async_api import Browser, FloatRect, Locator, expect

from support.crowd import crowd, filming, speaking
from support.people import People, Person
from support.product import Product, RoomLinks
from support.waiting import until

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True}


async def test_upright_videos_get_upright_tiles(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.viewer)
    async with (
        crowd(product, room, 2, can_publish=True) as clients,
        filming(clients[0], 360, 640),
        filming(clients[1], 360, 640),
    ):
        grid = ana.page.locator(".tiles.grid")
        await expect(grid.locator("video")).to_have_count(2)
        await expect(grid).to_contain_class("portrait")
        await people.screenshot("upright-desktop")
        for tile in await ana.tiles().all():
            box = await box_of(tile)
            assert box["height"] > box["width"]
        await ana.page.set_viewport_size({"width": 375, "height": 667})
        await people.screenshot("upright-phone")


async def test_on_a_phone_the_only_other_one_fills_the_page(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana", **PHONE)
    await ana.join(room.publisher)
    async with crowd(product, room, 1, can_publish=True) as clients, filming(clients[0], 360, 640):
        other, own = ana.tile_of("guest-0"), ana.tile_of("Ana")
        await expect(other.locator('video[data-shape="portrait"]')).to_be_visible()
        around = await box_of(ana.page.locator(".participant-grid"))
        assert await box_of(other) == around
        await people.screenshot("one-to-one-phone")
        assert await corner_of(own, around) == ("bottom", "right")

        await ana.press("Move my picture")
        assert await corner_of(own, around) == ("bottom", "left")
        await drag(ana, own, to=(around["x"] + around["width"] - 20, around["y"] + 20))
        await expect(ana.page.locator('[data-corner="top-end"]')).to_be_visible()
        assert await corner_of(own, around) == ("top", "right")

        await ana.page.reload()
        await ana.press_join()
        await expect(own).to_be_visible()
        await expect(ana.page.locator('.one-to-one[data-corner="top-end"]')).to_be_visible()
        await ana.page.set_viewport_size({"width": 667, "height": 375})
        await people.screenshot("one-to-one-lying-phone")
        own_box, other_box = await box_of(own), await box_of(other)
        assert own_box["width"] * 3 < other_box["width"]


async def test_a_video_of_another_page_is_paused_and_seen_within_a_second_of_speaking(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.viewer)
    async with crowd(product, room, 26, can_publish=True) as clients:
        await expect(ana.tiles()).to_have_count(25)
        shown = await ana.tiles().evaluate_all("(all) => all.map((tile) => tile.dataset.identity)")
        away = next(client for client in clients if client.local_participant.identity not in shown)
        here = next(client for client in clients if client is not away)
        async with filming(away, 320, 180), filming(here, 320, 180):
            before: dict[str, int] = {}
            await until("only the one of this page moves", lambda: moves_beside_a_paused_one(ana, before))
            video = ana.tile_of(away.local_participant.identity).locator("video")
            async with speaking(away):
                spoke_at = time.monotonic()
                await video.evaluate(MOVES)
                assert time.monotonic() - spoke_at < 1 + CLIENT_STARTS_S


CLIENT_STARTS_S: Final = 0.5
"""What passes until the sound of a microphone that was just published arrives."""

MOVES: Final = """
(video) => new Promise((done) => {
  const look = () => video.getVideoPlaybackQuality().totalVideoFrames > 1 ? done() : requestAnimationFrame(look);
  look();
})
"""


async def moves_beside_a_paused_one(person: Person, before: dict[str, int]) -> bool:
    """Tell whether one video has moved by 10 frames since `before`, and the other one not at all."""
    frames = {stat["id"]: stat["framesDecoded"] for stat in await person.inbound() if stat["kind"] == "video"}
    moved = sorted(frames[key] - before.setdefault(key, frames[key]) for key in frames)
    if len(moved) == 2 and moved[0] == 0 and moved[1] >= 10:
        return True
    if moved and moved[0] > 0:
        before.clear()
    return False


async def box_of(element: Locator) -> FloatRect:
    box = await element.bounding_box()
    assert box is not None
    return box


async def corner_of(element: Locator, around: FloatRect) -> tuple[str, str]:
    box = await box_of(element)
    is_top = box["y"] + box["height"] / 2 < around["y"] + around["height"] / 2
    is_left = box["x"] + box["width"] / 2 < around["x"] + around["width"] / 2
    return "top" if is_top else "bottom", "left" if is_left else "right"


async def drag(person: Person, element: Locator, *, to: tuple[float, float]) -> None:
    box, mouse = await box_of(element), person.page.mouse
    await mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await mouse.down()
    await mouse.move(*to, steps=3)
    await mouse.up()


WATCH: Final = """
() => {
  const grid = document.querySelector('.tiles.grid');
  const places = () => [...grid.children].map((tile) => {
    const { x, y } = tile.getBoundingClientRect();
    return [tile.dataset.identity, x, y].join(' ');
  });
  const before = places();
  const redrawn = new Set();
  const observer = new MutationObserver((changes) => {
    for (const { target } of changes) redrawn.add(target.closest('.tile')?.dataset.identity ?? 'the grid');
  });
  observer.observe(grid, { subtree: true, childList: true, attributes: true, characterData: true });
  globalThis.redraws = () => ({
    redrawn: [...redrawn], moved: places().filter((place, i) => place !== before[i]),
  });
}
"""


async def test_a_speaker_redraws_one_tile_of_25_and_moves_none(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.viewer)
    async with crowd(product, room, 25, can_publish=True) as clients:
        await expect(ana.tiles()).to_have_count(25)
        name = clients[7].local_participant.identity
        await ana.page.evaluate(WATCH)
        async with speaking(clients[7]):
            await expect(ana.tile_of(name)).to_have_attribute("data-speaking", "true")
            assert await ana.page.evaluate("redraws()") == {"redrawn": [name], "moved": []}
        await expect(ana.tile_of(name)).to_have_attribute("data-speaking", "false")
        assert await ana.page.evaluate("redraws()") == {"redrawn": [name], "moved": []}
