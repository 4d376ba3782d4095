"""A path to the media server that is slow towards the client: a modem in front of which datagrams queue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from support.lossy_link import LossyLink, relayed_media
from support.media_server_process import MediaServerProcess

QUEUE_S: Final = 0.3
"""What waits for longer is dropped."""


class SlowLink(LossyLink):
    """A UDP relay that lets `bits_per_s` of everything through to the client. 0: nothing."""

    def __init__(self, media_port: int, bits_per_s: float) -> None:
        super().__init__(media_port, loss=0.0)
        self.bits_per_s = bits_per_s
        self.dropped = 0
        self._free_at = 0.0

    def send(self, data: bytes, *, to_client: bool) -> None:
        """Send one datagram on when it is its turn."""
        if not to_client:
            super().send(data, to_client=False)
            return
        loop = asyncio.get_running_loop()
        start = max(loop.time(), self._free_at)
        if not self.bits_per_s or start > loop.time() + QUEUE_S:
            self.dropped += 1
            return
        self._free_at = start + len(data) * 8 / self.bits_per_s
        loop.call_at(self._free_at, partial(super().send, data, to_client=True))


@contextlib.asynccontextmanager
async def slow_link(
    server: MediaServerProcess, bits_per_s: float
) -> AsyncIterator[tuple[MediaServerProcess, SlowLink]]:
    """Yield the same server at another port, and the link; the client that uses it receives `bits_per_s` at most."""
    link = SlowLink(server.udp_port, bits_per_s)
    async with relayed_media(server, link) as relayed:
        yield relayed, link
