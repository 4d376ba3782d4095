"""Data channels: floods of messages, and receivers that are slower than who sends to them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from abuse.conftest import Victim
from support.bad_link import Conditions, bad_link
from support.data_flood import Flood, flooding
from support.livekit_clients import LiveKitClient, joined
from support.media_server_process import MediaServerProcess

pytestmark = pytest.mark.measures_time

FLOOD_S = 6.0
MEGABIT = 1_000_000
FILE_BYTES = 2_600_000


async def test_a_flood_of_small_messages_is_slowed_then_ended(victim: Victim) -> None:
    token = victim.server.token(victim.room, "eve", "publisher")
    # a busy machine's SDK sends little more than the 200 a second that are allowed: that takes longer to be a flood
    flood = Flood(ws_url=victim.server.ws_url, token=token, size=20, reliable=True, seconds=60)
    async with flooding(flood) as process:
        # from now on: that a process starts is not what is measured
        await victim.bystanders.start()
        outcome = await process.outcome(within_s=65)
    victim.assert_unharmed(await victim.bystanders.report())
    assert outcome.removed_after_s is not None
    removed = [line for line in victim.server.log().splitlines() if "data packets exceed the budget" in line]
    assert re.search(r"127\.0\.0\.1", removed[-1]), removed
    assert "eve" in removed[-1]


async def test_data_as_fast_as_the_sdk_sends_it_harms_nobody(victim: Victim) -> None:
    token = victim.server.token(victim.room, "eve", "publisher")
    flood = Flood(ws_url=victim.server.ws_url, token=token, size=60_000, reliable=True, seconds=FLOOD_S)
    async with flooding(flood) as process:
        # from now on: that a process starts is not what is measured
        await victim.bystanders.start()
        outcome = await process.outcome(within_s=FLOOD_S + 5)
    victim.assert_unharmed(await victim.bystanders.report())
    assert outcome.sent > 20, outcome
    assert outcome.removed_after_s is None, "large messages are only slowed: a file is nothing else"


# ── slow receivers ──


def modem(bits_per_s: float) -> Conditions:
    """Return what a link does that is slow towards the client."""
    return Conditions(bits_per_s=bits_per_s, queue_s=0.3, sends_freely=True)


@pytest.fixture
async def media_server(tmp_path: Path) -> AsyncIterator[MediaServerProcess]:
    server = MediaServerProcess(kind="tertulia", log=tmp_path / "media-server.log")
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


@dataclass(frozen=True)
class _Server:
    ws_url: str


@asynccontextmanager
async def _client(server: MediaServerProcess, identity: str) -> AsyncIterator[LiveKitClient]:
    at: Any = _Server(server.url)
    async with joined(at, server.token("room", identity)) as client:
        yield client


def _files_of(client: LiveKitClient) -> asyncio.Queue[bytes]:
    """Return where the digests of the files that a client receives arrive."""
    digests: asyncio.Queue[bytes] = asyncio.Queue()
    reading: list[asyncio.Future[None]] = []

    async def read(reader: rtc.ByteStreamReader) -> None:
        digest = hashlib.sha256()
        async for chunk in reader:
            digest.update(chunk)
        digests.put_nowait(digest.digest())

    client.room.register_byte_stream_handler(
        "files", lambda reader, _identity: reading.append(asyncio.ensure_future(read(reader)))
    )
    return digests


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "slides.pdf"
    path.write_bytes(os.urandom(FILE_BYTES))
    return path


async def test_a_file_arrives_whole_at_a_receiver_of_2_megabits(media_server: MediaServerProcess, file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).digest()
    async with (
        bad_link(media_server, modem(2 * MEGABIT)) as (slow_server, link),
        _client(media_server, "ann") as ann,
        _client(media_server, "bob") as bob,
        _client(slow_server, "slow") as slow,
    ):
        at_bob, at_slow = _files_of(bob), _files_of(slow)
        await ann.sees("slow")
        await ann.sees("bob")
        before = _resident_bytes(media_server)
        sending = asyncio.ensure_future(ann.me.send_file(str(file), topic="files"))
        async with asyncio.timeout(20):
            assert await at_bob.get() == digest
            assert await at_slow.get() == digest
            await sending
        assert link.dropped < 1_000
        assert _resident_bytes(media_server) - before < 16_000_000
        for client in (ann, bob, slow):
            assert not client.events_named("disconnected")
            assert not client.events_named("reconnecting")


async def test_a_receiver_that_takes_nothing_loses_its_data_and_holds_nobody_up_for_long(
    media_server: MediaServerProcess, file: Path
) -> None:
    digest = hashlib.sha256(file.read_bytes()).digest()
    async with AsyncExitStack() as stack:
        slow_server, link = await stack.enter_async_context(bad_link(media_server, modem(20 * MEGABIT)))
        ann = await stack.enter_async_context(_client(media_server, "ann"))
        bob = await stack.enter_async_context(_client(media_server, "bob"))
        stuck = await stack.enter_async_context(_client(slow_server, "stuck"))
        at_bob = _files_of(bob)
        await ann.sees("stuck")
        await ann.sees("bob")
        await stuck.sees("bob")
        link.change(Conditions(is_cut=True, sends_freely=True))
        sending = asyncio.ensure_future(ann.me.send_file(str(file), topic="files"))
        async with asyncio.timeout(14):
            assert await at_bob.get() == digest
            await sending
        lost = [line for line in media_server.log.read_text().splitlines() if "data dropped" in line]
        assert len(lost) == 1
        assert "stuck" in lost[0]
        assert "127.0.0.1" in lost[0]


def _resident_bytes(server: MediaServerProcess) -> int:
    assert server.process
    assert server.process.process
    status = Path(f"/proc/{server.process.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
