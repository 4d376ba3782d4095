"""The meeting page in a real Chromium: how soon it is there, how smooth it stays, what it keeps in memory.

    python -m bench.page [--joins 7] [--minutes 3] [--dry-run]

Join click to the first remote frame, beside a page with nothing but `livekit-client` (bench/minimal_page.py) on the
same server, in turn with it; first contentful paint with a processor four times slower; 25 tiles (synthetic peers that
send a face, two of the SDK that speak) while they join, speak and the window changes its size; the heap over a
shortened meeting, after garbage collection. The section in docs/performance.md is written again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp
from livekit import api
from livekit.protocol import rtc as protocol
from playwright.async_api import Browser, CDPSession, Page, async_playwright, expect

from bench.footage import person
from bench.join_time import one_join_ms
from bench.load import Load, Peer, Publication, load_process
from bench.minimal_page import minimal_page
from support.crowd import crowd, speaking
from support.fake_media import BLUE, RED, write_plain_picture, write_voice
from support.people import Person, browser_with
from support.product import MEDIA_API_KEY, MEDIA_API_SECRET, Product, RoomLinks, running_product

DOCUMENT: Final = Path(__file__).parents[1] / "docs/performance.md"
BEGIN: Final = "<!-- figures: make bench-page -->\n"
END: Final = "<!-- end of figures: make bench-page -->\n"
SLOWER: Final = 4
FACES: Final = 22
SPEAKERS: Final = 2
FACE_SIZE: Final = (320, 180)
SPEAKER_CHANGES: Final = 6
SIZES: Final = ((1280, 800), (900, 700), (1440, 900), (375, 667), (1024, 768), (1280, 800))

WATCH_TASKS: Final = """
(() => {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(Math.round(duration));
  }).observe({ type: 'longtask', buffered: true });
})();
"""
WATCH_TILES: Final = """
() => {
  globalThis.places = () => JSON.stringify([...document.querySelectorAll('.tile')].map((tile) => {
    const { x, y } = tile.getBoundingClientRect();
    return [tile.dataset.identity, Math.round(x), Math.round(y)];
  }));
  globalThis.before = places();
  globalThis.redrawn = new Set();
  globalThis.watching?.disconnect();
  globalThis.watching = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      const tile = element?.closest('.tile, .tiles');
      if (tile) redrawn.add(tile.dataset.identity ?? 'all');
    }
  });
  watching.observe(document.querySelector('.meeting-middle'),
    { subtree: true, childList: true, attributes: true, characterData: true });
}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; times in milliseconds, sizes in bytes."""

    ours_ms: list[float]
    minimal_ms: list[float]
    paint_ms: list[float]
    tasks_ms: dict[str, list[int]]
    redrawn: int
    moved: int
    heap: list[int]
    minutes: float


class PictureOnly(Publication):
    """A face without sound: its peer would be loud all the time."""

    def tracks(self) -> list[protocol.AddTrackRequest]:
        return super().tracks()[:1]


async def joins(
    page_browser: Browser, product: Product, room: RoomLinks, count: int
) -> tuple[list[float], list[float]]:
    """Join with our page and with the minimal one in turn; return the times of both, the first of each left out."""
    ours, minimal = [], []
    async with minimal_page(product, room) as address:
        for number in range(count + 1):
            ours.append(await one_join_ms(page_browser, room, number))
            minimal.append(await one_minimal_join_ms(page_browser, f"{address}?name=minimal-{number}"))
    return ours[1:], minimal[1:]


async def one_minimal_join_ms(browser: Browser, address: str) -> float:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(address)
    await page.evaluate("globalThis.opened")
    await page.wait_for_load_state("networkidle")
    await page.get_by_role("button", name="Join").click()
    async with asyncio.timeout(30):
        took_ms: float = await page.evaluate("globalThis.firstFrame")
    await context.close()
    return took_ms


async def first_paint_ms(browser: Browser, room: RoomLinks) -> float:
    """Open the link with an empty cache and a slow processor."""
    person_ = await Person.at(browser, "Painter")
    session = await person_.page.context.new_cdp_session(person_.page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    await person_.open(room.publisher)
    await expect(person_.page.get_by_role("heading", level=1)).to_be_visible()
    took_ms: float = await person_.page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime",
    )
    await person_.page.context.close()
    return took_ms


@asynccontextmanager
async def faces(product: Product, room: RoomLinks, load: Load, count: int) -> AsyncIterator[None]:
    """Have so many synthetic participants join, who send a face each, one after the other."""
    url = product.url.replace("http", "ws")
    tasks: list[asyncio.Task[None]] = []
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for number in range(count):
            name = f"face-{number}"
            grants = api.VideoGrants(room_join=True, room=room.name, can_subscribe=False)
            made = api.AccessToken(MEDIA_API_KEY, MEDIA_API_SECRET).with_identity(name).with_ttl(timedelta(hours=1))
            publication = PictureOnly(FACE_SIZE, clip=person(number % 7, FACE_SIZE))
            peer, ready = Peer(name, made.with_grants(grants).to_jwt(), load, publication), asyncio.Event()
            tasks.append(group.create_task(peer.run(session, url, ready), name=name))
            await ready.wait()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def tasks_since(page: Page) -> list[int]:
    """Return the long tasks since the last question, longest first."""
    found: list[int] = await page.evaluate("longTasks.splice(0).sort((a, b) => b - a)")
    return found


async def many_tiles(browser: Browser, product: Product) -> tuple[dict[str, list[int]], int, int]:
    """Return the long tasks of each phase, the most tiles that a change of speaker drew again, and how many moved."""
    room = await product.create_room("tiles")
    ana = await Person.at(browser, "Ana")
    await ana.page.add_init_script(WATCH_TASKS)
    await ana.join(room.moderator)
    await ana.press("Mute")
    await tasks_since(ana.page)
    found: dict[str, list[int]] = {}
    async with (
        load_process() as load,
        faces(product, room, load, FACES),
        crowd(product, room, SPEAKERS, can_publish=True) as clients,
    ):
        await expect(ana.tiles()).to_have_count(1 + FACES + SPEAKERS)
        await ana.decodes(FACES)
        found["they join"] = await tasks_since(ana.page)
        most = moved = 0
        for change in range(SPEAKER_CHANGES):
            name = f"guest-{change % SPEAKERS}"
            async with speaking(clients[change % SPEAKERS]):
                await expect(ana.tile_of(name).locator(".name .icon")).to_have_count(0)
                await ana.page.evaluate(WATCH_TILES)
                await expect(ana.tile_of(name)).to_have_attribute("data-speaking", "true")
                most = max(most, await ana.page.evaluate("redrawn.size"))
                moved += await ana.page.evaluate("before === places() ? 0 : 1")
        found["they speak"] = await tasks_since(ana.page)
        for width, height in SIZES:
            await ana.page.set_viewport_size({"width": width, "height": height})
            await ana.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found["the window changes its size"] = await tasks_since(ana.page)
        await ana.page.screenshot(path=DOCUMENT.parents[1] / "test-artefacts" / "bench-25-tiles.png")
    await ana.page.context.close()
    return found, most, moved


async def heap_bytes(session: CDPSession) -> int:
    await session.send("HeapProfiler.collectGarbage")
    used = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    return int(used)


async def meeting_heap(browser: Browser, other: Browser, product: Product, minutes: float) -> list[int]:
    """Let others join, leave, write, react and raise a hand all the time; return the heap every tenth of it."""
    room = await product.create_room("heap")
    ana, ben = await Person.at(browser, "Ana"), await Person.at(other, "Ben")
    await asyncio.gather(ana.join(room.moderator), ben.join(room.publisher))
    session = await ana.page.context.new_cdp_session(ana.page)
    await ben.press("Chat")
    loop = asyncio.get_running_loop()
    begin, samples, number = loop.time(), [], 0
    while (passed := loop.time() - begin) < minutes * 60 or len(samples) < 11:
        if passed >= len(samples) * minutes * 6:
            samples.append(await heap_bytes(session))
        number += 1
        async with crowd(product, room, 2, name=f"guest-{number}"):
            await expect(ana.page.get_by_test_id("count")).to_have_attribute("data-count", "4")
            await ben.page.get_by_label("Message to everybody").fill(f"Message {number}")
            await ben.page.keyboard.press("Enter")
            await ben.page.locator('[data-control="hand"]').click()
            await ana.page.keyboard.press("p")
            await expect(ana.page.locator(".people-list li")).to_have_count(4)
            await ana.page.keyboard.press("Escape")
        await expect(ana.page.get_by_test_id("count")).to_have_attribute("data-count", "2")
    for person_ in (ana, ben):
        await person_.page.context.close()
    return samples


async def measure(count: int, minutes: float) -> Figures:
    """Measure all of it."""
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        voice = write_voice(folder / "voice.wav")
        async with (
            running_product(folder) as product,
            async_playwright() as playwright,
            browser_with(playwright, picture=write_plain_picture(folder / "red.y4m", RED), voice=voice) as hosts,
            browser_with(playwright, picture=write_plain_picture(folder / "blue.y4m", BLUE), voice=voice) as guests,
        ):
            room = await product.create_room("bench")
            host = await Person.at(hosts, "Host")
            await host.join(room.moderator)
            await host.sees("Host", RED)
            ours, minimal = await joins(guests, product, room, count)
            print("joins:", [round(ms) for ms in ours], [round(ms) for ms in minimal], flush=True)
            await host.page.context.close()
            paints = [await first_paint_ms(guests, room) for _ in range(count)]
            tasks, redrawn, moved = await many_tiles(guests, product)
            print("25 tiles:", tasks, redrawn, moved, flush=True)
            heap = await meeting_heap(guests, hosts, product, minutes)
            return Figures(ours, minimal, paints, tasks, redrawn, moved, heap, minutes)


def section(figures: Figures) -> str:
    """Return the section of the document."""
    f = figures
    ours, minimal = statistics.median(f.ours_ms), statistics.median(f.minimal_ms)
    tiles = 1 + FACES + SPEAKERS
    tasks = [
        f"| longest task with {tiles} tiles, while {phase} | < 100 ms | {max(found, default=0) or '< 50'} ms |"
        for phase, found in f.tasks_ms.items()
    ]
    # the first tenth fills caches
    growth = (f.heap[-1] - f.heap[1]) / 1e6
    rows = [
        f"| Join click → first remote frame, median of {len(f.ours_ms)} | not above the minimal page | {ours:.0f} ms |",
        f"| the same, a page with nothing but `livekit-client` | | {minimal:.0f} ms |",
        f"| first contentful paint, processor {SLOWER}× slower | < 1000 ms | {statistics.median(f.paint_ms):.0f} ms |",
        *tasks,
        f"| tiles that a change of speaker draws again, at most | 2 | {f.redrawn} |",
        f"| visible tiles that it moves | 0 | {f.moved} |",
        f"| heap at the start of a meeting of {f.minutes:g} min | | {f.heap[1] / 1e6:.1f} MB |",
        f"| its growth to the end | flat | {growth:+.1f} MB |",
    ]
    load = f"Load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    return "| | goal | measured |\n| --- | --- | --- |\n" + "\n".join(rows) + f"\n\n{load}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joins", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--dry-run", action="store_true", help="do not write the document")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.joins, options.minutes))
    written = section(figures)
    print(figures)
    print(written)
    if options.dry_run:
        return
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + written + END + after)


if __name__ == "__main__":
    main()
