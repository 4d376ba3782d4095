"""A page whose media goes through a link that loses packets or is slow, while its signalling does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Page

from support.bad_link import BadLink, Conditions
from support.people import Person

_MEDIA_PORTS: Final = """
async () => {
  const ports = [];
  for (const connection of testConnections) {
    if (connection.connectionState === 'closed') continue;
    for (const { type, protocol, port } of (await connection.getStats()).values())
      if (type === 'remote-candidate' && protocol === 'udp') ports.push(port);
  }
  return ports;
}
"""

# the page learns of the link's port instead of the server's, and of no way by TCP; nothing is later for it
_RELAY: Final = """
(() => {
  const { setRemoteDescription, addIceCandidate } = RTCPeerConnection.prototype;
  const relayed = (text) => text.replaceAll(' %(media_port)d typ host', ' %(link_port)d typ host');
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const udpOnly = sdp.replaceAll(/a=candidate:\\S+ 1 tcp .*\\r\\n/gi, '');
    return setRemoteDescription.call(this, { type, sdp: relayed(udpOnly) });
  };
  RTCPeerConnection.prototype.addIceCandidate = function (init) {
    if (!init?.candidate) return addIceCandidate.call(this, init);
    if (/ 1 tcp /i.test(init.candidate)) return Promise.resolve();
    const { candidate, sdpMid, sdpMLineIndex } = init;
    return addIceCandidate.call(this, { candidate: relayed(candidate), sdpMid, sdpMLineIndex });
  };
})();
"""


async def media_port_of(person: Person) -> int:
    """Return the server's UDP port for media, as a user's page has it."""
    [port] = set(await person.page.evaluate(_MEDIA_PORTS))
    return int(port)


@asynccontextmanager
async def lossy_page(page: Page, media_port: int) -> AsyncIterator[BadLink]:
    """Let the media of a page that is not open yet go through a link, which does nothing to it at first."""
    link = BadLink(media_port, Conditions())
    link_port = await link.open()
    await page.add_init_script(_RELAY % {"media_port": media_port, "link_port": link_port})
    try:
        yield link
    finally:
        link.close()
