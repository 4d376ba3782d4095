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

# what the page has drawn for the tiles just now, by Preact's own name for what an element holds
REMEMBER_DRAWN: Final = """
() => {
  const tiles = (element) => {
    if (!element || typeof element !== 'object') return null;
    if (element.type === 'ul' && element.props.class?.includes('tiles')) return element;
    return (element.__k ?? []).reduce((found, child) => found ?? tiles(child), null);
  };
  globalThis.drawn = [...(globalThis.drawn ?? []), new WeakRef(tiles(document.getElementById('app').__k))];
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


async def test_what_was_drawn_before_leaves_memory(
    people: People, red_browser: Browser, product: Product, room: RoomLinks
) -> None:
    ana = await people.at(red_browser, "Ana")
    await ana.join(room.publisher)
    for number in range(4):
        async with crowd(product, room, 1, name=f"guest-{number}", can_publish=True):
            await expect(ana.tiles()).to_have_count(2)
            await ana.page.evaluate(REMEMBER_DRAWN)
        await expect(ana.tiles()).to_have_count(1)
        await ana.page.evaluate(REMEMBER_DRAWN)
    session = await ana.page.context.new_cdp_session(ana.page)
    await session.send("HeapProfiler.collectGarbage")
    kept = await ana.page.evaluate("drawn.map((each) => each.deref() !== undefined)")
    assert len(kept) == 8
    assert sum(kept[:-1]) <= 1, kept
