"""A path to the media server whose loss, delay, rate and queue change while it is used."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from support.lossy_link import LossyLink, relayed_media
from support.media_server_process import MediaServerProcess


@dataclass(frozen=True)
class Conditions:
    """What a link does to each direction.

    `loss`: of the media, 0 to 1. `delay_s`: of each datagram. `bits_per_s` None: as fast as it comes; what would wait
    longer than `queue_s` for its turn is dropped. `is_cut`: nothing at all gets through. `sends_freely`: what the
    client sends is lost at most.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    bits_per_s: float | None = None
    queue_s: float = 0.2
    is_cut: bool = False
    sends_freely: bool = False


class BadLink(LossyLink):
    """A UDP relay between one client and the media server, with conditions that may change at any time."""

    def __init__(self, media_port: int, conditions: Conditions) -> None:
        super().__init__(media_port, conditions.loss)
        self._conditions = conditions
        self._free_at = {True: 0.0, False: 0.0}
        self.dropped = 0

    def change(self, conditions: Conditions) -> None:
        """Apply other conditions to what arrives from now on."""
        self._conditions, self.loss = conditions, conditions.loss

    def send(self, data: bytes, *, to_client: bool) -> None:
        """Send one datagram on when it is its turn."""
        now, it = asyncio.get_running_loop().time(), self._conditions
        if it.sends_freely and not to_client:
            super().send(data, to_client=False)
            return
        start = now
        if it.bits_per_s is not None:
            start = max(now, self._free_at[to_client])
            if start > now + it.queue_s:
                self.dropped += 1
                return
            start = self._free_at[to_client] = start + len(data) * 8 / it.bits_per_s
        if it.is_cut:
            self.dropped += 1
            return
        at = start + it.delay_s
        if at <= now:
            super().send(data, to_client=to_client)
        else:
            asyncio.get_running_loop().call_at(at, partial(super().send, data, to_client=to_client))


@contextlib.asynccontextmanager
async def bad_link(
    server: MediaServerProcess, conditions: Conditions
) -> AsyncIterator[tuple[MediaServerProcess, BadLink]]:
    """Yield the same server at another port, and the link through which the media of that port's client goes."""
    link = BadLink(server.udp_port, conditions)
    async with relayed_media(server, link) as relayed:
        yield relayed, link
