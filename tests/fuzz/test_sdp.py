"""Offers: whatever is in them, the core answers or refuses, and other peers of the same thread do not notice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from fuzz.conftest import Fuzzing
from fuzz.corpus import offers
from fuzz.mutation import mutated_lines
from tertulia_sfu._core import MediaCore
from tertulia_sfu.config import CODECS

DEADLINE_S: Final = 5
KNOWN_PANIC: Final = "Pt locked multiple times"
"""str0m 0.25 does not expect two payload types of one profile of H.264. It costs the peer whose offer it was."""
OFFERS_OF_A_PEER: Final = 4


class Core:
    """A media core with one worker, and what it reports."""

    def __init__(self, core: MediaCore) -> None:
        self.core = core
        self._events: list[Any] = []
        self._arrived = asyncio.Event()

    def read(self) -> None:
        self._events += self.core.drain()
        self._arrived.set()

    async def outcome(self, peer: str, offer_id: int) -> Any:
        """Wait for the answer to an offer, its refusal, or the peer's end."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for event in self._events:
                    if getattr(event, "peer", None) == peer and self._is_outcome(event, offer_id):
                        self._events.clear()
                        return event
                self._arrived.clear()
                await self._arrived.wait()

    @staticmethod
    def _is_outcome(event: Any, offer_id: int) -> bool:
        return type(event).__name__ == "PeerFailed" or getattr(event, "offer_id", None) == offer_id


@asynccontextmanager
async def one_worker() -> AsyncIterator[Core]:
    core = MediaCore(udp_port=0, bind=["127.0.0.1"], addresses=["127.0.0.1"], workers=1)
    running, loop = Core(core), asyncio.get_running_loop()
    loop.add_reader(core.fileno(), running.read)
    try:
        yield running
    finally:
        loop.remove_reader(core.fileno())
        await asyncio.to_thread(core.close)


async def test_offers(fuzzing: Fuzzing, capfd: pytest.CaptureFixture[str]) -> None:
    """One peer sends changed offers after each other; a second peer's right offer is answered in between."""
    random, corpus = fuzzing.random, offers()
    outcomes = {"Answered": 0, "NegotiationFailed": 0, "PeerFailed": 0}
    async with one_worker() as running:
        core = running.core
        core.add_peer("PA_good", room="room", codecs=list(CODECS))
        for number in fuzzing.rounds(600):
            peer = f"PA_{number}"
            core.add_peer(peer, room="room", codecs=list(CODECS))
            core.expect_track(
                peer, track=f"TR_{number}", kind="video", cids=["camera"], layers=[("high", 640, 360)], codec="h264"
            )
            for offer_id in range(1, random.randint(1, OFFERS_OF_A_PEER) + 1):
                sdp = mutated_lines(random, random.choice(corpus), corpus)
                core.offer(peer, offer_id=offer_id, sdp=sdp)
                outcome = await running.outcome(peer, offer_id)
                outcomes[type(outcome).__name__] += 1
                if type(outcome).__name__ != "Answered":
                    break
            core.remove_peer(peer)
            if number % 20 == 0:
                core.offer("PA_good", offer_id=number, sdp=corpus[0])
                assert type(await running.outcome("PA_good", number)).__name__ == "Answered"
    assert outcomes["Answered"] > 10, outcomes
    assert outcomes["NegotiationFailed"] > 10, outcomes
    panics = re.findall(r"panicked at \S+\n(.*)", capfd.readouterr().err)
    assert [reason for reason in panics if not reason.startswith(KNOWN_PANIC)] == []
