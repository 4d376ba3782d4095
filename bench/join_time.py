"""Join time as a user feels it: from pressing Join to the first frame of a participant who is there already.

    python -m bench.join_time [--joins 20] [--warm-up 2]

A real server, real Chromium processes, everything on this machine; the camera and the microphone are on, and the
media code has been loaded by the form, as it is for a person who types a name first.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import statistics
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

from support.fake_media import BLUE, RED, write_plain_picture, write_voice
from support.people import Person, browser_with
from support.product import RoomLinks, running_product

# the clock starts in the event of the click, and stops in the callback of the first frame that is shown
_STOPWATCH = """
(() => {
  let clickedAt;
  addEventListener('submit', () => { clickedAt ??= performance.now(); }, true);
  globalThis.firstFrame = new Promise((resolve) => {
    const seen = new WeakSet();
    new MutationObserver(() => {
      for (const video of document.querySelectorAll('.tile:not([data-local="true"]) video')) {
        if (seen.has(video)) continue;
        seen.add(video);
        video.requestVideoFrameCallback(() => resolve(performance.now() - clickedAt));
      }
    }).observe(document, { childList: true, subtree: true });
  });
})();
"""


async def one_join_ms(browser: Browser, room: RoomLinks, number: int) -> float:
    """Join once in a fresh window and leave; return the time to the first remote frame."""
    person = await Person.at(browser, f"Guest {number}")
    await person.page.add_init_script(_STOPWATCH)
    await person.open(room.publisher)
    await person.fill_in()
    await expect(person.page.locator(".preview video")).to_be_visible()
    await person.page.wait_for_load_state("networkidle")
    await person.press_join()
    async with asyncio.timeout(30):
        took_ms: float = await person.page.evaluate("globalThis.firstFrame")
    await person.press("Leave")
    await person.page.context.close()
    return took_ms


async def measure(joins: int, warm_up: int) -> list[float]:
    """Return the times of `joins` joins, one after the other, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        voice = write_voice(folder / "voice.wav")
        host_picture = write_plain_picture(folder / "red.y4m", RED)
        guest_picture = write_plain_picture(folder / "blue.y4m", BLUE)
        async with (
            running_product(folder) as product,
            async_playwright() as playwright,
            browser_with(playwright, picture=host_picture, voice=voice) as hosts_browser,
            browser_with(playwright, picture=guest_picture, voice=voice) as guests_browser,
        ):
            room = await product.create_room("bench")
            host = await Person.at(hosts_browser, "Host")
            await host.join(room.moderator)
            await host.sees("Host", RED)
            times_ms = [await one_join_ms(guests_browser, room, number) for number in range(warm_up + joins)]
            return times_ms[warm_up:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joins", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=2)
    arguments = parser.parse_args()
    times_ms = sorted(asyncio.run(measure(arguments.joins, arguments.warm_up)))
    p95_ms = times_ms[math.ceil(0.95 * len(times_ms)) - 1]
    print(
        f"join time, click to first remote frame, {len(times_ms)} joins: "
        f"median {statistics.median(times_ms):.0f} ms, p95 {p95_ms:.0f} ms, "
        f"fastest {times_ms[0]:.0f} ms, slowest {times_ms[-1]:.0f} ms "
        f"(load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )


if __name__ == "__main__":
    main()
