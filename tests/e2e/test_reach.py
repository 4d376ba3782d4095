"""A meeting where UDP is blocked: media goes by TCP."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, expect

from support.fake_media import BLUE, RED
from support.people import People
from support.product import RoomLinks

pytestmark = pytest.mark.asyncio(loop_scope="session")

# as a firewall does it: the browser gets no answer by UDP, because it learns of no address to ask
WITHOUT_UDP = r"""
(() => {
  const usual = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return usual.call(this, { type, sdp: sdp.replace(/a=candidate:\S+ 1 udp .*\r\n/gi, "") });
  };
})();
"""


async def test_browsers_without_udp_see_and_hear_each_other(
    people: People, red_browser: Browser, blue_browser: Browser, room: RoomLinks
) -> None:
    ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
    await ana.page.add_init_script(WITHOUT_UDP)
    await ben.page.add_init_script(WITHOUT_UDP)
    await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
    await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED), ana.hears(), ben.hears())
    await ben.page.locator('[data-control="connection"]').click()
    await ben.page.get_by_text("Numbers").click()
    await expect(ben.page.get_by_role("row", name=re.compile("Ana, camera"))).to_contain_text(re.compile(r"\btcp\b"))
