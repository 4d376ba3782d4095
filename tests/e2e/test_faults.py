"""The network and the server fail; users see it, and reconnect as soon as it works again."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from support.accessibility import violations
from support.cuttable_relay import cuttable_relay
from support.fake_media import BLUE, RED
from support.people import People
from support.product import running_product

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_broken_network_shows_a_banner_until_it_is_back(
    people: People, red_browser: Browser, blue_browser: Browser, tmp_path: Path
) -> None:
    async with (
        cuttable_relay() as relay,
        running_product(tmp_path, public_url=f"http://127.0.0.1:{relay.port}") as product,
    ):
        relay.target_port = product.port
        room = await product.create_room()
        ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
        await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
        await ana.sees("Ben", BLUE)

        relay.cut()
        await expect(ana.page.get_by_test_id("reconnecting")).to_be_visible()
        relay.restore()
        await expect(ana.page.get_by_test_id("reconnecting")).to_have_count(0)
        await expect(ben.page.get_by_test_id("reconnecting")).to_have_count(0)
        await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED), ana.decodes(), ben.decodes())
        await people.screenshot("broken-network")
        await asyncio.gather(ana.press("Leave"), ben.press("Leave"))


# the SDK tries for a minute: here its pauses are short
IMPATIENT = """
(() => {
  const wait = globalThis.setTimeout;
  globalThis.setTimeout = (act, delay, ...args) => wait(act, delay >= 1000 && delay < 4000 ? 10 : delay, ...args);
})();
"""


async def test_a_network_that_is_gone_for_long_is_waited_for_and_devices_are_as_before(
    people: People, red_browser: Browser, blue_browser: Browser, tmp_path: Path
) -> None:
    async with (
        cuttable_relay() as relay,
        running_product(tmp_path, public_url=f"http://127.0.0.1:{relay.port}") as product,
    ):
        relay.target_port = product.port
        room = await product.create_room()
        ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
        await ana.page.add_init_script(IMPATIENT)
        await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
        await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED))
        await ana.press("Mute")
        await ana.press("Chat")
        await ana.page.get_by_label("Message to everybody").fill("a draft")

        relay.cut()
        await ana.page.context.set_offline(True)
        await expect(ana.page.get_by_test_id("returning")).to_be_visible()
        await people.screenshot("network-gone")
        for scheme in ("light", "dark"):
            await ana.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert await violations(ana.page) == []
        relay.restore()
        await ana.page.context.set_offline(False)
        await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED))
        await expect(ana.page.locator('[data-control="microphone"]')).to_have_accessible_name("Unmute")
        await expect(ben.tile_of("Ana")).to_have_attribute("data-muted", "true")
        await expect(ana.page.get_by_label("Message to everybody")).to_have_value("a draft")
        await expect(ana.tiles()).to_have_count(2)
        await asyncio.gather(ana.press("Leave"), ben.press("Leave"))


async def test_a_server_that_is_restarted_gets_its_users_back(
    people: People, red_browser: Browser, tmp_path: Path
) -> None:
    async with running_product(tmp_path) as product:
        room = await product.create_room()
        ana = await people.at(red_browser, "Ana")
        await ana.join(room.publisher)
        assert await product.stop() == 0
        await expect(ana.page.get_by_test_id("reconnecting")).to_be_visible()

        await product.start()
        await expect(ana.page.get_by_test_id("reconnecting")).to_have_count(0)
        await expect(ana.page.get_by_role("button", name="Leave")).to_be_visible()


async def test_after_a_crash_of_the_server_all_participants_reconnect(
    people: People, red_browser: Browser, blue_browser: Browser, tmp_path: Path
) -> None:
    async with running_product(tmp_path) as product:
        room = await product.create_room()
        ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
        await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
        await ana.sees("Ben", BLUE)

        await product.stop(signal.SIGKILL)
        await expect(ana.page.get_by_test_id("reconnecting")).to_be_visible()
        await product.start()
        await expect(ana.page.get_by_test_id("reconnecting")).to_have_count(0)
        await expect(ben.page.get_by_test_id("reconnecting")).to_have_count(0)
        await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED), ana.decodes(), ben.decodes())
        await asyncio.gather(ana.press("Leave"), ben.press("Leave"))
