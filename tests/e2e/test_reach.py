"""Meetings of browsers that have one way only: by TCP, or by a TURN server with TLS."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, expect

from support.coturn import SECRET, coturn
from support.fake_media import BLUE, RED
from support.people import People, browser_with
from support.product import RoomLinks, running_product

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


# as a firewall does it that lets nothing through but TLS
RELAYED_ONLY = """
(() => {
  const relayed = (config) => ({ ...config, iceTransportPolicy: 'relay' });
  const { setConfiguration } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setConfiguration = function (config) {
    return setConfiguration.call(this, relayed(config));
  };
  globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct: (target, [config]) => new target(relayed(config)),
  });
})();
"""

# how the candidate pair in use of each connection leaves this browser
RELAY_PROTOCOLS = """
async () => {
  const found = [];
  for (const connection of globalThis.testConnections) {
    if (connection.connectionState !== 'connected') continue;
    const stats = await connection.getStats();
    for (const stat of stats.values()) {
      if (stat.type !== 'transport' || !stat.selectedCandidatePairId) continue;
      const { candidateType, relayProtocol } = stats.get(stats.get(stat.selectedCandidatePairId).localCandidateId);
      found.push(`${candidateType} ${relayProtocol}`);
    }
  }
  return found;
}
"""


async def test_browsers_meet_by_a_turn_server_with_tls(
    people: People, playwright: Playwright, blue_browser: Browser, media: Path, tmp_path: Path
) -> None:
    async with coturn(tmp_path) as turn:
        settings = {"TERTULIA_TURN_URLS": turn.url("tls"), "TERTULIA_TURN_SECRET": SECRET}
        # nobody has signed the TURN server's certificate
        trusting = browser_with(playwright, picture=media / "red.y4m", flags=["--ignore-certificate-errors"])
        async with running_product(tmp_path, settings=settings) as product, trusting as red_browser:
            room = await product.create_room()
            ana, ben = await people.at(red_browser, "Ana"), await people.at(blue_browser, "Ben")
            await ana.page.add_init_script(RELAYED_ONLY)
            await asyncio.gather(ana.join(room.publisher), ben.join(room.publisher))
            await asyncio.gather(ana.sees("Ben", BLUE), ben.sees("Ana", RED))
            assert await ana.page.evaluate(RELAY_PROTOCOLS) == ["relay tls"]
