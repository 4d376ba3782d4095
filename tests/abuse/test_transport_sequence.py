"""Transport-wide sequence numbers that go backwards beyond zero: four packets of a publisher, in its own session."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Any, Final

from abuse.conftest import resident_bytes
from fuzz.packets import OPUS, extension, rtp
from support.raw_peer import AUDIO, SSRCS, raw_peer
from support.rest import running_server
from support.signal_connection import raw_connection, receive

MEMORY_BYTES: Final = 64 * 1024 * 1024
FIRST, BEYOND_ZERO = 5, 60_000


async def test_four_packets_stop_no_worker(tmp_path: Path):
    """A publisher may number its packets as it likes: only its own feedback is the worse for it."""
    with running_server(tmp_path) as server:
        clients: Any = server
        room = server.create_room()
        token = server.token(room, "Mallory", "publisher")
        async with raw_connection(clients, token) as signalling, raw_peer(signalling) as peer:
            before = resident_bytes(server)
            for sequence, number in enumerate((FIRST, FIRST + 1, BEYOND_ZERO, BEYOND_ZERO + 1)):
                always = {1: b"0", 5: struct.pack(">H", number)}
                peer.send_rtp(rtp(SSRCS["audio"], AUDIO, sequence, sequence * 960, extension(always), OPUS))
            await asyncio.sleep(2)
            assert resident_bytes(server) - before < MEMORY_BYTES
            for name in ("Ann", "Bob"):  # one on each worker
                async with raw_connection(clients, server.token(room, name, "publisher")) as other, raw_peer(other):
                    pass
            await receive(signalling, "update")
