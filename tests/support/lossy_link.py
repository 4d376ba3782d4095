"""A path to the media server that loses packets: its signalling announces another port for media."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from typing import Final, cast

from livekit.protocol import rtc

from support.media_server_process import MediaServerProcess
from support.signalling_relay import relayed_signalling

Address = tuple[str, int]
_HOST: Final = "127.0.0.1"
# no other way than the one that is relayed
CANDIDATE: Final = re.compile(r"a=candidate:[^\r]*\r\n")
TCP_CANDIDATE: Final = re.compile(r"a=candidate:\S+ 1 tcp [^\r]*\r\n", re.IGNORECASE)


class _Socket(asyncio.DatagramProtocol):
    """One of the two sockets: towards the client, or towards the media server."""

    def __init__(self, link: "LossyLink") -> None:
        self._link = link
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._link.forward(self, data, addr)


class LossyLink:
    """A UDP relay between one client and the media server that loses `loss` of the media, in each direction."""

    def __init__(self, media_port: int, loss: float) -> None:
        self.lost = 0
        self.loss = loss
        self._target = (_HOST, media_port)
        self._random = random.Random(7)
        self._client: Address | None = None
        self._near, self._far = _Socket(self), _Socket(self)

    async def open(self) -> int:
        """Open the sockets; returns the port for the client."""
        loop = asyncio.get_running_loop()
        near, _ = await loop.create_datagram_endpoint(lambda: self._near, local_addr=(_HOST, 0))
        await loop.create_datagram_endpoint(lambda: self._far, local_addr=(_HOST, 0))
        return int(near.get_extra_info("sockname")[1])

    def close(self) -> None:
        for socket in (self._near, self._far):
            if socket.transport is not None:
                socket.transport.close()

    def forward(self, socket: _Socket, data: bytes, addr: Address) -> None:
        if socket is self._near:
            self._client = addr
        is_media = data and 128 <= data[0] < 192  # RFC 7983: RTP and RTCP
        if is_media and self._random.random() < self.loss:
            self.lost += 1
            return
        self.send(data, to_client=socket is self._far)

    def send(self, data: bytes, *, to_client: bool) -> None:
        """Send one datagram on."""
        out, target = (self._near, self._client) if to_client else (self._far, self._target)
        # what was delayed may come after the end
        if out.transport is not None and not out.transport.is_closing() and target is not None:
            out.transport.sendto(data, target)


@contextlib.asynccontextmanager
async def lossy_link(server: MediaServerProcess, loss: float) -> AsyncIterator[tuple[MediaServerProcess, LossyLink]]:
    """Yield the same server at another port, and the link; the client that uses it loses `loss` of its media."""
    link = LossyLink(server.udp_port, loss)
    async with relayed_media(server, link) as relayed:
        yield relayed, link


@contextlib.asynccontextmanager
async def relayed_media(server: MediaServerProcess, link: LossyLink) -> AsyncIterator[MediaServerProcess]:
    """Yield the same server at another port; the media of the client that uses it goes through the link."""
    before, after = f" {server.udp_port} typ host", f" {await link.open()} typ host"

    def announce(data: bytes) -> bytes:
        response = rtc.SignalResponse.FromString(data)
        if response.HasField("answer"):
            response.answer.sdp = TCP_CANDIDATE.sub("", response.answer.sdp.replace(before, after))
        elif response.HasField("trickle"):
            if " tcp " in response.trickle.candidateInit.lower():
                return b""
            response.trickle.candidateInit = response.trickle.candidateInit.replace(before, after)
        return response.SerializeToString()

    def conceal(data: bytes) -> bytes:
        """A server that is not ICE-lite would reach the client beside the link."""
        request = rtc.SignalRequest.FromString(data)
        if request.HasField("trickle"):
            return b""
        for description in (request.offer, request.answer):
            if description.sdp:
                description.sdp = CANDIDATE.sub("", description.sdp)
        return request.SerializeToString()

    async with relayed_signalling(server, up=conceal, down=announce) as relayed:
        try:
            yield relayed
        finally:
            link.close()
