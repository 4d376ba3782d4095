"""A meeting that changes all the time: only what has changed is drawn again, and nothing moves."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.crowd import crowd, speaking
from support.people import People
from support.product import Product, RoomLinks

# media in real time: they run alone
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.measures_time]

WATCH: Final = """
() => {
  globalThis.places = () => JSON.stringify([...document.querySelectorAll('.tile')].map((tile) => {
    const { x, y } = tile.getBoundingClientRect();
    return [tile.dataset.identity, Math.round(x), Math.round(y)];
  }));
  globalThis.before = places();
  globalThis.redrawn = new Set();
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      const drawn = element.closest('.tile, .tiles');
      if (drawn) redrawn.add(drawn.dataset.identity ?? 'all');
    }
  }).observe(document.querySelector('.meeting-middle'),
    { subtree: true, childList: true, attributes: true, characterData: true });
}
"""


async def test_a_change_of_speaker_draws_one_tile_again_and_moves_none(
    people: People, red_browser: Browser, blue_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await asyncio.gather(ana.press("Mute"), ben.press("Mute"))
    async with crowd(product, room, 3, can_publish=True) as clients:
        await expect(ana.tiles()).to_have_count(5)
        await ana.decodes(1)
        for person in (ana, ben):
            await expect(ana.tile_of(person.name)).to_have_attribute("data-speaking", "false")
        async with speaking(clients[1]):
            await expect(ana.tile_of("guest-1")).to_have_attribute("data-muted", "false")
            await ana.page.evaluate(WATCH)
            await expect(ana.tile_of("guest-1")).to_have_attribute("data-speaking", "true")
        assert await ana.page.evaluate("[...redrawn]") == ["guest-1"]
        assert await ana.page.evaluate("before") == await ana.page.evaluate("places()")
