"""What the server seals is opened by libsrtp: sound, pictures, retransmissions and reports, with each profile."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from fuzz.packets import OPUS, VP8_KEY, extension, rtp
from support.raw_peer import AUDIO, RTX, SSRCS, VIDEO, RawPeer, raw_peer
from support.rest import running_server
from support.signal_connection import raw_connection

DEADLINE_S: Final = 30
FRAME_S: Final = 0.02
FRAMES: Final = 3000
ENOUGH: Final = 100
SENDER_REPORT: Final = 200


class Opened(NamedTuple):
    """An RTP packet of the server."""

    kind: int
    sequence: int
    ssrc: int
    payload: bytes


def opened(packet: bytes) -> Opened:
    """Read a packet with header extensions (RFC 3550 section 5.3)."""
    kind, sequence, _timestamp, ssrc, _profile, words = struct.unpack_from(">xBHIIHH", packet)
    return Opened(kind & 0x7F, sequence, ssrc, packet[16 + 4 * words :])


async def publishing(peer: RawPeer) -> None:
    """Send sound and pictures; the number of each frame is at its end."""
    for number in range(FRAMES):
        frame = struct.pack(">I", number)
        peer.send_rtp(rtp(SSRCS["audio"], AUDIO, number, number * 960, extension({1: b"0"}), OPUS + frame))
        named = extension({1: b"1", 2: b"q"})
        peer.send_rtp(rtp(SSRCS["q"], VIDEO, number, number * 1800, named, VP8_KEY + frame))
        await asyncio.sleep(FRAME_S)


async def until(peer: RawPeer, condition: Callable[[], bool]) -> None:
    """Wait for what packets bring."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(FRAME_S)
    except TimeoutError:
        kinds = Counter(opened(packet).kind for packet in peer.media)
        pytest.fail(f"opened {kinds} and {len(peer.reports)} reports, could not open {peer.unopened}")


def of_kind(peer: RawPeer, kind: int) -> list[Opened]:
    """Return what the peer has opened of a payload type."""
    return [packet for packet in map(opened, peer.media) if packet.kind == kind and packet.payload]


@pytest.mark.parametrize("profile", [b"SRTP_AES128_CM_SHA1_80", b"SRTP_AEAD_AES_128_GCM"])
async def test_another_library_opens_what_the_server_seals(tmp_path: Path, profile: bytes):
    """A client with only this profile receives everything as it was sent, and what it asks for again."""
    with running_server(tmp_path) as server:
        clients: Any = server
        room = server.create_room()
        tokens = [server.token(room, name, "publisher") for name in ("Ann", "Bob")]
        async with (
            raw_connection(clients, tokens[0]) as ann_signals,
            raw_peer(ann_signals) as ann,
            asyncio.TaskGroup() as tasks,
        ):
            sending = tasks.create_task(publishing(ann), name="publishing")
            await until(ann, lambda: any(struct.pack(">I", SSRCS["q"]) in report for report in ann.reports))
            async with (
                raw_connection(clients, tokens[1]) as bob_signals,
                raw_peer(bob_signals, profiles=[profile], receives=True) as bob,
            ):
                await everything_opened(bob)
            sending.cancel()


async def everything_opened(peer: RawPeer) -> None:
    """Receive for a while, with a retransmission and a report, and look at it."""
    await until(peer, lambda: min(len(of_kind(peer, AUDIO)), len(of_kind(peer, VIDEO))) > ENOUGH)
    last = of_kind(peer, VIDEO)[-1]
    peer.send_rtcp(struct.pack(">BBHIIHH", 0x81, 205, 3, 1, last.ssrc, last.sequence, 0))
    await until(peer, lambda: any(packet.payload[:2] == last_number(last) for packet in of_kind(peer, RTX)))
    await until(peer, lambda: any(report[1] == SENDER_REPORT for report in peer.reports))
    check_payloads(peer, last)


def last_number(packet: Opened) -> bytes:
    """Return what a retransmission of this packet begins with (RFC 4588 section 4)."""
    return struct.pack(">H", packet.sequence)


def check_payloads(peer: RawPeer, resent: Opened) -> None:
    """Everything could be opened, in order, and is what was sent."""
    assert peer.unopened == 0
    for kind, sent in ((AUDIO, OPUS), (VIDEO, VP8_KEY)):
        packets = of_kind(peer, kind)
        numbers = [struct.unpack(">I", packet.payload[-4:])[0] for packet in packets]
        assert numbers == sorted(set(numbers))
        assert {packet.payload[10:-4] for packet in packets} == {sent[10:]}  # VP8's counters are the receiver's
    [again] = [packet.payload for packet in of_kind(peer, RTX) if packet.payload[:2] == last_number(resent)]
    assert again[2:] == resent.payload
